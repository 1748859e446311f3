#include "secrets.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

constexpr const char* kVariable = "MBU_PASSWORD";

class Scan {
 public:
  Scan(int count, char** arguments, const std::set<std::string>& with_value)
      : next_(arguments + (count > 0 ? 1 : 0)), end_(arguments + count), with_value_(with_value) {}

  void run(TakenSecrets& taken) {
    while (next_ != end_) {
      char* const argument = *next_++;
      const std::string_view text = argument;
      if (text == "--") {
        taken.arguments.emplace_back(text);
        taken.arguments.insert(taken.arguments.end(), next_, end_);
        return;
      }
      if (text.starts_with("--")) {
        long_flag(argument, text, taken);
      } else if (text.size() > 1 && text[0] == '-') {
        short_flags(argument, text, taken);
      } else {
        taken.arguments.emplace_back(text);
      }
    }
  }

 private:
  void long_flag(char* argument, std::string_view text, TakenSecrets& taken) {
    constexpr std::string_view kJoined = "--password=";
    if (text == "--password") return take_next(taken);
    if (text.starts_with(kJoined)) return take(argument + kJoined.size(), taken);
    taken.arguments.emplace_back(text);
    if (with_value_.contains(std::string(text))) pass_next(text, taken);
  }

  // "-v", "-qp", "-pX", "-rDIR": letters up to the first that takes a value.
  void short_flags(char* argument, std::string_view text, TakenSecrets& taken) {
    for (std::size_t i = 1; i < text.size(); ++i) {
      const bool last = i + 1 == text.size();
      if (text[i] == 'p') {
        if (i > 1) taken.arguments.emplace_back(text.substr(0, i));
        return last ? take_next(taken) : take(argument + i + 1, taken);
      }
      if (with_value_.contains(std::string("-") + text[i])) {
        taken.arguments.emplace_back(text);
        if (last) pass_next(std::string("-") + text[i], taken);
        return;
      }
    }
    taken.arguments.emplace_back(text);
  }

  void take_next(TakenSecrets& taken) {
    if (next_ == end_) throw Error(Code::usage, "-p wants a password after it");
    take(*next_++, taken);
  }
  static void take(char* password, TakenSecrets& taken) { taken.given = Password::take(password, std::strlen(password)); }
  // A directory is seldom called like a flag, so that "-o -p PASSWORD DIR" means what it seems to.
  void pass_next(std::string_view flag, TakenSecrets& taken) {
    if (next_ == end_ || (is_short_form(flag) && is_password_flag(*next_))) return;
    taken.arguments.emplace_back(*next_++);
  }
  static bool is_short_form(std::string_view flag) {
    constexpr std::array<std::string_view, 5> kShortForms{"-o", "--package", "-d", "-w", "--watch"};
    return std::find(kShortForms.begin(), kShortForms.end(), flag) != kShortForms.end();
  }
  static bool is_password_flag(std::string_view text) {
    return text == "--password" || text.starts_with("--password=") || (text.starts_with("-p") && !text.starts_with("--"));
  }

  char** next_;
  char** end_;
  const std::set<std::string>& with_value_;
};

}  // namespace

TakenSecrets take_secrets(int count, char** arguments, const std::set<std::string>& with_value) {
  TakenSecrets taken;
  if (char* const value = std::getenv(kVariable); value != nullptr) {
    if (*value != '\0') taken.environment = Password::take(value, std::strlen(value));
    ::unsetenv(kVariable);
  }
  Scan(count, arguments, with_value).run(taken);
  return taken;
}

}  // namespace mbu::cli
