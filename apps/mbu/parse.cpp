// CLI11 knows the flags; what is left over comes back as words in their order and is sorted out here: CLI11's own positionals
// would split "[a,b]", end at "++", and lose a "--" that follows another operand.
#include "parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "commands.hpp"
#include "flags.hpp"
#include "mbu/types/error.hpp"
#include "units.hpp"

namespace mbu::cli {
namespace {

bool is_flag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

Error unknown_flag(const std::string& word, const std::string& command) {
  const std::string name = word.substr(0, word.find('='));
  const std::string help = command.empty() ? "mbu help" : "mbu help " + command;
  return Error(Code::usage, "unknown flag '" + name + "'", {}, "`" + help + "` lists the flags");
}

std::vector<std::string> flags_of(const CLI::App& app, bool (*wanted)(const CLI::Option&)) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (!wanted(*option)) continue;
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void use_environment(std::string& value, const char* variable) {
  const char* const found = std::getenv(variable);
  if (value.empty() && found != nullptr) value = found;
}

}  // namespace

CommandLine::CommandLine() : app_(std::make_unique<CLI::App>("encrypted, deduplicating backups", "mbu")) {
  app_->set_help_flag();
  app_->allow_extras();
  // At most one: a path called like a command is a path.
  app_->require_subcommand(0, 1);
  define_short_forms();
  define_global_flags();
  define_commands();
}

CommandLine::~CommandLine() = default;

void CommandLine::define_short_forms() {
  Flags flags(*app_);
  flags.heading("Short forms");
  flags.texts("-o,--package", "DIR", arguments_.short_forms.package, "make a snapshot of DIR in the packaging directory");
  flags.texts("-d", "DIR", arguments_.short_forms.unpackage,
              "restore the latest snapshot of DIR, named by its path or its last name, into the restore directory");
  define_overwrite(flags, arguments_.restore.options);
  flags.texts("-w,--watch", "DIR", arguments_.short_forms.watch, "make a snapshot of DIR now, and one after every change");
}

void CommandLine::define_global_flags() {
  GlobalFlags& global = arguments_.global;
  Flags flags(*app_);
  flags.heading("Repository");
  flags.text("-r,--repo", "DIR", global.repository,
             "the repository (MBU_REPOSITORY); default: the configured packaging directory");
  flags.text("-c,--config", "FILE", global.config, "the configuration (MBU_CONFIG)");
  flags.heading("Password");
  // take_secrets() has removed every -p before this is parsed: it stands here for the help.
  flags.parsed("-p,--password", "PASSWORD", "the password itself (MBU_PASSWORD)", [](const std::string&) {});
  flags.text("--password-file", "FILE", global.password_file, "its first line is the password (MBU_PASSWORD_FILE)");
  flags.text("--password-command", "COMMAND", global.password_command,
             "the first line it prints is the password (MBU_PASSWORD_COMMAND)");
  flags.parsed("--password-fd", "N", "a descriptor to read the password from", [&global](const std::string& given) {
    global.password_descriptor = static_cast<int>(parse_number("--password-fd", given, 0, 1 << 20));
  });
  flags.text("--credential", "FILE", global.credential, "a writer's credential, which adds snapshots and reads nothing (MBU_CREDENTIAL)");
  flags.flag("--security-key", global.security_key, "a FIDO2 security key opens the repository, if key add --on-security-key has made it");
  flags.text("--security-key-device", "PATH", global.security_key_device, "which one, when several are plugged in");
  flags.text("--security-key-pin-file", "FILE", global.security_key_pin_file, "its PIN is the first line; default: asked for if it has one");
  flags.flag("--any-kdf-cost", global.any_kdf_cost, "stretch a password even where that takes more than 1 GiB, 16 passes or 100 million rounds");
  flags.heading("Work");
  flags.text("--cache-dir", "DIR", global.cache_directory, "where the cache lies (MBU_CACHE_DIR)");
  flags.flag("--no-cache", global.no_cache, "use no cache");
  flags.parsed("--threads", "N", "how many threads work; default: one per processor, at most 32", [&global](const std::string& given) {
    global.threads = static_cast<unsigned>(parse_number("--threads", given, 1, 1024));
  });
  flags.parsed("--compression", "off|fast|default|max|1..19", "how hard to compress", [&global](const std::string& given) {
    if (!parse_compression(given)) {
      throw Error(Code::usage, "--compression wants off, fast, default, max or a level from 1 to 19, not '" + given + "'");
    }
    global.compression = given;
  });
  flags.flag("--no-verify", global.no_verify, "do not check each block again before it is stored");
  flags.heading("Output");
  flags.flag("--json", global.json, "write JSON");
  flags.flag("-q,--quiet", global.quiet, "say nothing but errors");
  flags.count("-v,--verbose", global.verbose, "say more");
  flags.flag("--no-progress", global.no_progress, "show no progress");
  flags.flag("-h,--help", help_, "show this help, or a command's");
  flags.flag("-V,--version", version_, "show the version");
  flags.heading("");
  for (const std::string name : {"--limit-upload", "--limit-download"}) {
    flags.parsed(name, "N", "", [name](const std::string&) {
      throw Error(Code::usage, name + " is for remote repositories, which this version does not have");
    });
  }
}

void CommandLine::define_commands() {
  for (const Command& command : commands()) {
    CLI::App* sub = app_->add_subcommand(command.name, command.summary);
    sub->set_help_flag();
    sub->fallthrough();
    sub->preparse_callback([this](std::size_t) { strays_before_command_ = app_->remaining(); });
    Flags flags(*sub);
    command.define(flags, arguments_);
  }
}

std::set<std::string> CommandLine::flags_with_value() const {
  const auto takes_value = [](const CLI::Option& option) { return option.get_items_expected_min() > 0; };
  std::set<std::string> names;
  for (auto& name : flags_of(*app_, takes_value)) names.insert(std::move(name));
  for (const CLI::App* sub : app_->get_subcommands({})) {
    for (auto& name : flags_of(*sub, takes_value)) names.insert(std::move(name));
  }
  return names;
}

void CommandLine::parse_flags(std::vector<std::string> words) {
  const auto with_value = flags_with_value();
  std::vector<std::string> prepared;
  bool value_next = false;
  for (const auto& word : words) {
    const bool is_value = value_next;
    value_next = !is_value && with_value.contains(word);
    if (!is_value && word == "++") {
      prepared.emplace_back("./++");  // means something to CLI11
    } else if (!is_value && word.starts_with("--") && word.size() > 3 && word.back() == '=') {
      prepared.push_back(word.substr(0, word.size() - 1));  // to CLI11 an empty value is none
      prepared.emplace_back();
    } else {
      prepared.push_back(word);
    }
  }
  if (value_next) {
    const auto& flag = words.back();
    const bool short_form = flag == "-o" || flag == "--package" || flag == "-d" || flag == "-w" || flag == "--watch";
    throw Error(Code::usage, flag + " wants " + (short_form ? "a directory" : "a value") + " after it", {},
                "`mbu help` explains the flags");
  }
  std::reverse(prepared.begin(), prepared.end());  // as CLI11 wants them
  try {
    app_->parse(std::move(prepared));
  } catch (const CLI::ParseError& error) {
    throw Error(Code::usage, error.what(), {}, "`mbu help` explains the flags");
  }
}

void CommandLine::take_command() {
  const auto chosen = app_->get_subcommands();
  if (!chosen.empty()) arguments_.command = chosen.front()->get_name();
  const auto words = app_->remaining();
  const auto flag = std::find_if(words.begin(), words.end(), is_flag);
  const bool nameless = chosen.empty() && arguments_.short_forms.count() == 0;
  const auto first_word = std::find_if_not(words.begin(), words.end(), is_flag);
  if (flag != words.end() && (!nameless || first_word == words.end())) throw unknown_flag(*flag, arguments_.command);
  arguments_.operands.assign(nameless ? first_word : words.begin(), words.end());
}

void CommandLine::check_short_forms() const {
  const ShortForms& forms = arguments_.short_forms;
  for (const char* flag : {"--overwrite", "--delete"}) {
    if (forms.unpackage.empty() && app_->get_option(flag)->count() > 0) {
      throw Error(Code::usage, std::string(flag) + " goes with -d or restore");
    }
  }
  if (forms.count() == 0) return;
  if (forms.count() > 1) throw Error(Code::usage, "-o, -d and -w stand alone, one of them at a time");
  if (!arguments_.command.empty()) {
    throw Error(Code::usage, "-o, -d and -w stand without a command; here is '" + arguments_.command + "'");
  }
  if (!arguments_.operands.empty()) {
    throw Error(Code::usage, "-o, -d and -w take one directory; '" + arguments_.operands.front() + "' is one too many");
  }
}

void CommandLine::check_operands() const {
  if (!strays_before_command_.empty()) throw unknown_command(strays_before_command_.front());
  const std::size_t count = arguments_.operands.size();
  if (arguments_.command.empty()) {
    if (count > 0) throw unknown_command(arguments_.operands.front());
    throw Error(Code::usage, "no command", {}, "`mbu help` lists the commands");
  }
  const Command& command = *find_command(arguments_.command);
  const std::string usage = "usage: mbu " + usage_of(command);
  if (count < command.least) throw Error(Code::usage, fmt::format("{} wants more", command.name), {}, usage);
  if (count > command.most) {
    const auto& surplus = arguments_.operands[command.most];
    throw Error(Code::usage, fmt::format("{} does not take '{}'", command.name, surplus), {}, usage);
  }
}

void CommandLine::parse(std::vector<std::string> words) {
  const bool bare = words.empty();
  const auto dashes = std::find(words.begin(), words.end(), "--");
  parse_flags({words.begin(), dashes});
  take_command();
  if (dashes != words.end()) arguments_.operands.insert(arguments_.operands.end(), dashes + 1, words.end());
  if (version_ || help_ || bare) arguments_.short_forms = {};  // asking comes before doing
  if (version_) {
    arguments_.command = "version";
    arguments_.operands.clear();
    return;
  }
  if (help_ || bare) {
    if (!arguments_.command.empty()) arguments_.operands = {arguments_.command};
    arguments_.command = "help";
    return;
  }
  check_short_forms();
  if (arguments_.short_forms.count() == 0) check_operands();
  use_environment(arguments_.global.repository, "MBU_REPOSITORY");
  use_environment(arguments_.global.credential, "MBU_CREDENTIAL");
  use_environment(arguments_.global.cache_directory, "MBU_CACHE_DIR");
}

}  // namespace mbu::cli
