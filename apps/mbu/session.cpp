#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "escape.hpp"
#include "mbu/password_source.hpp"
#include "mbu/types/location.hpp"
#include "prompt.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

constexpr int kTries = 3;  // for a person who mistypes a password

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// A file of that name among the credentials of the service this runs as (systemd.exec(5), LoadCredential=); empty: there is none.
std::string handed_over_by_systemd(const char* name) {
  const std::string directory = environment("CREDENTIALS_DIRECTORY");
  const std::string path = directory + '/' + name;
  return !directory.empty() && ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

Configuration configured(const GlobalFlags& flags) {
  return load_configuration({flags.config, environment("MBU_CONFIG")});
}

}  // namespace

Session::Session(Context& context, Ask ask)
    : context_(context), flags_(context.arguments.global), ask_(ask), configuration_(configured(flags_)) {
  for (const auto& warning : configuration_.warnings) context_.view.warning(warning);
  const bool password_given = context_.given || !flags_.password_file.empty() || !flags_.password_command.empty() || flags_.password_descriptor >= 0;
  std::string credential = flags_.credential;
  if (credential.empty() && !password_given) credential = handed_over_by_systemd("mbu.credential");
  if (!credential.empty() && ask_ != Ask::in_any_case) credential_ = absolute_path(credential);
  context_.prefix = command_prefix();
}

const std::string& Session::location() {
  if (!location_.empty()) return location_;
  if (flags_.repository.empty() && configuration_.package_directory.empty()) {
    throw Error(Code::usage, "there is no home directory for the packaging directory", {},
                "give a repository by -r DIR, or package_directory in the configuration");
  }
  refuse_what_is_not_here();
  location_ = absolute_path(flags_.repository.empty() ? configuration_.package_directory : flags_.repository);
  context_.prefix = command_prefix();
  return location_;
}

void Session::refuse_what_is_not_here() const {
  const std::string& wanted = flags_.repository.empty() ? configuration_.package_directory : flags_.repository;
  if (is_remote(wanted)) throw Error(Code::usage, "remote repositories are not in this version: only directories are", wanted);
  if (wanted.ends_with(".mbu")) throw Error(Code::usage, "package files are not in this version: only directories are", wanted);
  if (flags_.repository.empty() && configuration_.module != "repository") {
    throw Error(Code::usage, "module = \"" + configuration_.module + "\" is not in this version",
                configuration_.source, "set packer.module to \"repository\", or give one by -r DIR");
  }
}

const std::string& Session::restore_directory() const {
  if (configuration_.restore_directory.empty()) {
    throw Error(Code::usage, "there is no home directory for the restore directory", {},
                "give --target DIR, or restore_directory in the configuration");
  }
  return configuration_.restore_directory;
}

std::string Session::state_directory() const { return default_state_directory(); }

PasswordSources Session::sources() {
  PasswordSources sources;
  if (can_prompt()) {
    sources.prompt = [this](bool fresh) {
      const std::string& what = credential_.empty() || fresh ? location() : credential_;
      return prompt_password((fresh ? "new password for " : "password for ") + printable(what) + ": ", fresh, context_.interrupt);
    };
  }
  if (ask_ == Ask::in_any_case) return sources;
  sources.file = flags_.password_file;
  sources.command = flags_.password_command;
  sources.descriptor = flags_.password_descriptor;
  if (context_.given) sources.given = context_.given->clone();
  if (!sources.any_given()) {  // what stands on the command line comes before the environment
    if (context_.environment) sources.given = context_.environment->clone();
    sources.file = environment("MBU_PASSWORD_FILE");
    sources.command = environment("MBU_PASSWORD_COMMAND");
    if (!sources.any_given()) sources.file = handed_over_by_systemd("mbu.password");
  }
  return sources;
}

Password Session::obtain_fresh() {
  PasswordSources from = sources();
  return obtain_password(from, true);
}

bool Session::only_prompt() {
  const PasswordSources from = sources();
  return from.prompt && !from.any_given();
}

RepositoryOptions Session::options() {
  RepositoryOptions options;
  options.location = location();
  if (!flags_.cache_directory.empty()) options.cache_directory = absolute_path(flags_.cache_directory);
  options.credential_file = credential_;
  options.any_kdf_cost = flags_.any_kdf_cost;
  if (flags_.security_key && ask_ != Ask::in_any_case) options.security_key = security_key();
  options.use_cache = !flags_.no_cache;
  options.threads = flags_.threads;
  const std::string& compression = flags_.compression.empty() ? configuration_.compression : flags_.compression;
  if (const auto parsed = parse_compression(compression)) options.compression = *parsed;
  options.verify_blocks = !flags_.no_verify;
  options.events = &context_.view;
  options.interrupt = &context_.interrupt;
  return options;
}

SecurityKey Session::security_key() {
  SecurityKey key;
  key.device = flags_.security_key_device;
  if (!flags_.security_key_pin_file.empty()) {
    key.ask_pin = [path = flags_.security_key_pin_file] {
      PasswordSources from;
      from.file = path;
      return obtain_password(from, false);
    };
  } else if (can_prompt()) {
    key.ask_pin = [this] { return prompt_password("PIN of the security key: ", false, context_.interrupt); };
  }
  key.about_to_touch = [this] { context_.view.warning("touch the security key now"); };
  return key;
}

RepositoryOptions Session::options_with(Password password) {
  RepositoryOptions filled = options();
  filled.password.given = std::move(password);
  filled.security_key.reset();
  return filled;
}

Repository Session::open_with_prompt(const Keep& keep) {
  for (int left = only_prompt() ? kTries : 1;; --left) {
    RepositoryOptions filled = options();
    filled.password = sources();  // asked only when something needs it
    filled.use_kept_keys = ask_ != Ask::in_any_case && keep.unlock_seconds == 0 && !keep.on_desktop;
    filled.unlock_seconds = keep.unlock_seconds;
    filled.keep_on_desktop = keep.on_desktop;
    bool answered = false;
    if (filled.password.prompt) {
      filled.password.prompt = [&answered, ask = std::move(filled.password.prompt)](bool fresh) {
        auto password = ask(fresh);
        answered = true;
        return password;
      };
    }
    try {
      return Repository::open(std::move(filled));
    } catch (const Error& error) {
      if (error.code() != Code::wrong_password || left <= 1 || !answered) throw;
      context_.view.warning("wrong password");
    }
  }
}

void Session::refuse_missing() {
  const std::string init = command_prefix() + "init";
  if (Repository::remembered(location(), state_directory())) {
    throw Error(Code::no_repository, "the repository that was here is gone", location(),
                "mount the disk it is on; or, to begin a new one: " + init);
  }
  const std::string next = flags_.repository.empty() ? command_prefix() + "-o DIR, or: " + init : init;
  throw Error(Code::no_repository, "there is no repository", location(), "make one by: " + next);
}

Repository Session::open() {
  if (!Repository::exists(location())) refuse_missing();
  return open_with_prompt();
}

void Session::unlock(const Keep& keep) {
  if (!Repository::exists(location())) refuse_missing();
  (void)open_with_prompt(keep);
}

Repository Session::open_by_sheets(const std::function<std::vector<Password>()>& copied) {
  if (!Repository::exists(location())) refuse_missing();
  RepositoryOptions filled = options();
  filled.recovery_sheets = copied();
  filled.security_key.reset();
  return Repository::open(std::move(filled));
}

Repository Session::open_or_make() {
  if (Repository::exists(location())) return open_with_prompt();
  const bool made_by_others = !flags_.repository.empty() || !credential_.empty();
  if (made_by_others || Repository::remembered(location(), state_directory())) refuse_missing();
  InitOptions init;
  if (configuration_.kdf == "pbkdf2") init.kdf = Kdf::pbkdf2;
  const Password password = obtain_fresh();
  try {
    context_.view.made(Repository::create(options_with(password.clone()), init));
  } catch (const Error&) {
    if (!Repository::exists(location())) throw;  // else another process made it meanwhile
  }
  return Repository::open(options_with(password.clone()));
}

void Session::make(const InitOptions& init) {
  if (Repository::exists(location())) {
    throw Error(Code::failed, "there is a repository already", location(),
                "use it as it is: " + command_prefix() + "backup PATH, or make another by -r DIR");
  }
  context_.view.made(Repository::create(options_with(obtain_fresh()), init));
}

std::vector<OwnPlace> Session::own_places() {
  std::vector<OwnPlace> places;
  const auto add = [&places](const char* what, const std::string& path) {
    if (!path.empty() && !is_remote(path)) places.push_back({what, real_path(path)});
  };
  add("the packaging directory", location());
  add("the packaging directory", configuration_.package_directory);
  add("the restore directory", configuration_.restore_directory);
  add("the cache directory", default_cache_directory());
  add("the cache directory", flags_.cache_directory);
  add("the state directory", state_directory());
  return places;
}

std::string Session::command_prefix() const {
  // A name without a slash is found wherever one stands; anything else must be made so.
  const bool by_path = context_.program.find('/') != std::string::npos;
  std::string command = shell_word(by_path ? absolute_path(context_.program) : context_.program) + ' ';
  const std::string& source = configuration_.source;
  const bool named = !flags_.config.empty() || !environment("MBU_CONFIG").empty();
  const bool local = !source.empty() && !source.starts_with('/');  // ./config.toml
  if (named || local) command += "-c " + shell_word(absolute_path(source)) + ' ';
  if (!flags_.repository.empty()) command += "-r " + shell_word(location_.empty() ? flags_.repository : location_) + ' ';
  return command;
}

}  // namespace mbu::cli
