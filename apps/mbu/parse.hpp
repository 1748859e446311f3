// The definition of the command line, and its parsing.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "arguments.hpp"

namespace CLI {
class App;
}

namespace mbu::cli {

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // The flags, of any command, that take the argument after them.
  [[nodiscard]] std::set<std::string> flags_with_value() const;

  // Parses what take_secrets() left; once. Throws Code::usage. -h and -V become the commands `help` and `version`.
  void parse(std::vector<std::string> words);

  [[nodiscard]] const Arguments& arguments() const noexcept { return arguments_; }
  [[nodiscard]] const CLI::App& definition() const noexcept { return *app_; }

 private:
  void define_global_flags();
  void define_short_forms();
  void define_commands();
  void parse_flags(std::vector<std::string> words);
  void take_command();
  void check_short_forms() const;
  void check_operands() const;

  Arguments arguments_;
  std::unique_ptr<CLI::App> app_;
  std::vector<std::string> strays_before_command_;
  bool help_ = false;
  bool version_ = false;
};

}  // namespace mbu::cli
