// Flags of one command, laid over CLI11 so that only this file's implementation has to know CLI11's ways: values are taken
// as they are (CLI11 would split "[a,b]"), a repeated flag's last value counts, and bad values are errors of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace mbu::cli {

class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  // The help shows the flags that follow under this heading.
  void heading(std::string title) { heading_ = std::move(title); }

  void flag(const std::string& names, bool& value, const std::string& description);
  void parsed_flag(const std::string& names, const std::string& description, std::function<void()> set);
  void count(const std::string& names, int& value, const std::string& description);
  // `what` names the value in the help; "FILE" and "DIR" are completed as paths, "a|b" as one of these words.
  void text(const std::string& names, const char* what, std::string& value, const std::string& description);
  void texts(const std::string& names, const char* what, std::vector<std::string>& values, const std::string& description);
  // The same, each value a list with commas in it.
  void lists(const std::string& names, const char* what, std::vector<std::vector<std::string>>& values,
             const std::string& description);
  // Calls `parse` with the last value given; what it throws is the program's error.
  void parsed(const std::string& names, const char* what, const std::string& description,
              std::function<void(const std::string&)> parse);
  void number(const std::string& names, std::uint64_t& value, std::uint64_t least, std::uint64_t most,
              const std::string& description);

  template <class Value>
  void choice(const std::string& names, const std::vector<std::pair<std::string, Value>>& choices, Value& value,
              const std::string& description) {
    std::string words;
    for (const auto& [word, meaning] : choices) words += (words.empty() ? "" : "|") + word;
    parsed(names, words.c_str(), description, [names, words, choices, &value](const std::string& given) {
      for (const auto& [word, meaning] : choices) {
        if (word == given) {
          value = meaning;
          return;
        }
      }
      refuse_choice(names, words, given);
    });
  }

 private:
  void all(const std::string& names, const char* what, std::function<void(const std::vector<std::string>&)> take,
           const std::string& description);
  [[noreturn]] static void refuse_choice(const std::string& names, const std::string& words, const std::string& given);

  CLI::App& app_;
  std::string heading_ = "Flags";
};

// "--long" of "-l,--long": the name to use in messages.
[[nodiscard]] std::string long_name(const std::string& names);

}  // namespace mbu::cli
