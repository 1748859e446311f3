// `completion`: scripts for shells, made from the definition of the command line. What a value is comes from its name in the
// help: FILE and DIR are paths, "a|b" is one of these words.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "commands.hpp"
#include "mbu/types/error.hpp"
#include "output.hpp"

namespace mbu::cli {
namespace {

using Visit = std::function<void(const CLI::Option&)>;

void for_each_flag(const CLI::App& app, const Visit& visit) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) visit(*option);
  }
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }
bool takes_words(const CLI::Option& option) { return takes_value(option) && option.get_type_name().find('|') != std::string::npos; }
bool takes_path(const CLI::Option& option) {
  return takes_value(option) && (option.get_type_name() == "FILE" || option.get_type_name() == "DIR");
}

std::string words_of(std::string words) {
  for (char& c : words) {
    if (c == '|') c = ' ';
  }
  return words;
}
std::string words_of(const CLI::Option& option) { return words_of(option.get_type_name()); }

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const auto& name : option.get_snames()) all.push_back("-" + name);
  for (const auto& name : option.get_lnames()) all.push_back("--" + name);
  return all;
}

std::string joined_spellings(const CLI::App& app, const std::function<bool(const CLI::Option&)>& wanted, char separator) {
  std::string all;
  for_each_flag(app, [&](const CLI::Option& option) {
    if (!wanted(option)) return;
    for (const auto& spelling : spellings(option)) all += (all.empty() ? std::string() : std::string(1, separator)) + spelling;
  });
  return all;
}

bool any(const CLI::Option&) { return true; }

std::string command_names() {
  std::string names;
  for (const Command& command : commands()) names += (names.empty() ? "" : " ") + std::string(command.name);
  return names;
}

// The words that a command's first operand is one of, from its usage line; empty: none are known.
std::string operand_words(const Command& command) {
  const std::string_view operands = command.operands;
  if (operands == "[COMMAND]") return command_names();
  const std::string first(operands.substr(0, operands.find(' ')));
  return first.find('|') == std::string::npos ? std::string() : words_of(first);
}

// The cases of "the word before is this flag", for one application.
std::string bash_values(const CLI::App& app) {
  std::string cases;
  for_each_flag(app, [&](const CLI::Option& option) {
    if (!takes_value(option)) return;
    std::string pattern;
    for (const auto& spelling : spellings(option)) pattern += (pattern.empty() ? "" : "|") + spelling;
    const std::string reply = takes_words(option)  ? fmt::format("compgen -W '{}' -- \"$word\"", words_of(option))
                              : takes_path(option) ? "compgen -f -- \"$word\""
                                                   : "true";
    cases += fmt::format("    {}) mapfile -t COMPREPLY < <({}); return ;;\n", pattern, reply);
  });
  return cases;
}

std::string bash_script(const CLI::App& app) {
  std::string script =
      "# bash completion for mbu\n_mbu() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= each\n";
  script += fmt::format("  for each in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n    case \" {} \" in *\" $each \"*) command=$each; break ;; esac\n  done\n", command_names());
  script += "  case $before in\n" + bash_values(app) + "  esac\n  case $command in\n";
  for (const Command& command : commands()) {
    const CLI::App& sub = *app.get_subcommand(command.name);
    const auto values = bash_values(sub);
    script += fmt::format("  {})\n", command.name);
    if (!values.empty()) script += "    case $before in\n" + values + "    esac\n";
    if (const auto words = operand_words(command); !words.empty()) {
      script += fmt::format("    [[ $before == {} && $word != -* ]] && mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\") && return\n",
                            command.name, words);
    }
    script += fmt::format("    [[ $word == -* ]] && mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\") && return ;;\n",
                          joined_spellings(sub, any, ' '));
  }
  script += fmt::format(
      "  '')\n    if [[ $word != -* ]]; then mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"); return; fi ;;\n  esac\n"
      "  if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\")\n"
      "  else mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); fi\n}}\ncomplete -o filenames -F _mbu mbu\n",
      command_names(), joined_spellings(app, any, ' '));
  return script;
}

std::string single_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

// One specification of _arguments a spelling.
std::string zsh_specifications(const CLI::App& app) {
  std::string lines;
  for_each_flag(app, [&](const CLI::Option& option) {
    std::string description;
    for (const char c : option.get_description()) description += (c == '[' || c == ']' || c == ':') ? ' ' : c;
    std::string value;
    if (takes_words(option)) value = ":value:(" + words_of(option) + ')';
    else if (takes_path(option)) value = ":path:_files";
    else if (takes_value(option)) value = ":value: ";
    for (const auto& spelling : spellings(option)) {
      lines += "    " + single_quoted('*' + spelling + '[' + description + ']' + value) + " \\\n";
    }
  });
  return lines;
}

std::string zsh_script(const CLI::App& app) {
  std::string script = "#compdef mbu\n_mbu() {\n  local context state line\n  _arguments -C \\\n" + zsh_specifications(app) +
                       "    '1:command:->command' '*::operand:->operands'\n  case $state in\n  command)\n    local -a all=(\n";
  for (const Command& command : commands()) {
    script += "      " + single_quoted(std::string(command.name) + ':' + command.summary) + '\n';
  }
  script += "    )\n    _describe command all ;;\n  operands)\n    case $line[1] in\n";
  for (const Command& command : commands()) {
    const auto words = operand_words(command);
    script += fmt::format("    {}) _arguments \\\n{}    '*:{}' ;;\n", command.name,
                          zsh_specifications(*app.get_subcommand(command.name)),
                          words.empty() ? "path:_files" : fmt::format("word:({})", words));
  }
  return script + "    esac ;;\n  esac\n}\n_mbu \"$@\"\n";
}

std::string fish_flags(const CLI::App& app, const std::string& condition) {
  std::string lines;
  for_each_flag(app, [&](const CLI::Option& option) {
    std::string line = "complete -c mbu" + condition;
    for (const auto& name : option.get_snames()) line += " -s " + name;
    for (const auto& name : option.get_lnames()) line += " -l " + name;
    if (takes_words(option)) line += " -x -a " + single_quoted(words_of(option));
    else if (takes_path(option)) line += " -r -F";
    else if (takes_value(option)) line += " -x";
    lines += line + " -d " + single_quoted(option.get_description()) + '\n';
  });
  return lines;
}

std::string fish_script(const CLI::App& app) {
  std::string script = "# fish completion for mbu\n" + fish_flags(app, "");
  for (const Command& command : commands()) {
    script += fmt::format("complete -c mbu -n __fish_use_subcommand -a {} -d {}\n", command.name, single_quoted(command.summary));
    if (const auto words = operand_words(command); !words.empty()) {
      script += fmt::format("complete -c mbu -n '__fish_seen_subcommand_from {}' -f -a {}\n", command.name, single_quoted(words));
    }
    script += fish_flags(*app.get_subcommand(command.name), fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name));
  }
  return script;
}

}  // namespace

void run_completion(Context& context) {
  const std::string& shell = context.arguments.operands.front();
  if (shell == "bash") return context.output.write(bash_script(context.definition));
  if (shell == "zsh") return context.output.write(zsh_script(context.definition));
  if (shell == "fish") return context.output.write(fish_script(context.definition));
  throw Error(Code::usage, "completion knows bash, zsh and fish, not '" + shell + "'");
}

}  // namespace mbu::cli
