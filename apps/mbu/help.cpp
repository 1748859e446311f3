// `help`: what CLI11 knows of the flags, laid out to be read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "commands.hpp"
#include "mbu/types/error.hpp"
#include "output.hpp"

namespace mbu::cli {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kColumn = 34;  // where descriptions begin
constexpr std::size_t kWidth = 100;

// "  left      right, wrapped".
std::string two_columns(const std::string& left, const std::string& right) {
  std::string text = std::string(kIndent, ' ') + left;
  std::size_t column = text.size();
  if (column + 2 > kColumn) {
    text += '\n';
    column = 0;
  }
  text += std::string(kColumn - column, ' ');
  column = kColumn;
  std::istringstream words(right);
  for (std::string word; words >> word;) {
    if (column > kColumn && column + 1 + word.size() > kWidth) {
      text += '\n' + std::string(kColumn, ' ');
      column = kColumn;
    } else if (column > kColumn) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  return text + '\n';
}

std::string names_of(const CLI::Option& option) {
  std::string names;
  const auto add = [&names](const std::string& dashes, const std::string& name) {
    names += (names.empty() ? "" : ", ") + dashes + name;
  };
  for (const auto& name : option.get_snames()) add("-", name);
  for (const auto& name : option.get_lnames()) add("--", name);
  if (option.get_items_expected_min() > 0) names += ' ' + option.get_type_name();
  return names;
}

std::string flags_of(const CLI::App& app) {
  std::string text;
  for (const auto& group : app.get_groups()) {
    if (group.empty()) continue;  // not for the help
    std::string lines;
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group) lines += two_columns(names_of(*option), option->get_description());
    }
    if (!lines.empty()) text += '\n' + group + ":\n" + lines;
  }
  return text;
}

std::string overview(const CLI::App& app) {
  std::string text =
      "mbu makes encrypted, deduplicated snapshots of directories, and brings them back.\n\n"
      "usage: mbu -o DIR                  package DIR into the packaging directory\n"
      "       mbu -d DIR                  restore the latest snapshot of DIR\n"
      "       mbu -w DIR                  package DIR now and after every change\n"
      "       mbu COMMAND [FLAGS] ...\n\nCommands:\n";
  for (const Command& command : commands()) {
    text += two_columns(usage_of(command), command.summary);
  }
  return text + flags_of(app) +
         "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 incomplete, 10 no repository, 12 wrong password,\n"
         "13 not allowed, 20 damage, 130 interrupted.\n";
}

std::string help_of(const CLI::App& app, const Command& command) {
  return fmt::format("{}.\n\nusage: mbu {}\n{}\n`mbu help` lists the flags that every command takes.\n",
                     command.summary, usage_of(command), flags_of(*app.get_subcommand(command.name)));
}

}  // namespace

void run_help(Context& context) {
  const auto& operands = context.arguments.operands;
  if (operands.empty()) {
    context.output.write(overview(context.definition));
    return;
  }
  const Command* const command = find_command(operands.front());
  if (command == nullptr) throw unknown_command(operands.front());
  context.output.write(help_of(context.definition, *command));
}

}  // namespace mbu::cli
