#include "flags.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "mbu/types/error.hpp"
#include "units.hpp"

namespace mbu::cli {

namespace {

// Blanks around a word are cut off.
std::vector<std::string> words_between_commas(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    const auto word = text.substr(start, end - start);
    const auto first = std::min(word.find_first_not_of(" \t"), word.size());
    words.emplace_back(word.substr(first, word.find_last_not_of(" \t") + 1 - first));
    start = end + 1;
  }
  return words;
}

}  // namespace

std::string long_name(const std::string& names) {
  const auto at = names.find("--");
  return at == std::string::npos ? names : names.substr(at, names.find(',', at) - at);
}

void Flags::flag(const std::string& names, bool& value, const std::string& description) {
  app_.add_flag(names, value, description)->group(heading_);
}

void Flags::parsed_flag(const std::string& names, const std::string& description, std::function<void()> set) {
  auto call = [set = std::move(set)](std::int64_t times) {
    if (times > 0) set();
  };
  app_.add_flag_function(names, call, description)->group(heading_);
}

void Flags::count(const std::string& names, int& value, const std::string& description) {
  app_.add_flag(names, value, description)->group(heading_);
}

void Flags::texts(const std::string& names, const char* what, std::vector<std::string>& values,
                  const std::string& description) {
  all(names, what, [&values](const std::vector<std::string>& given) { values = given; }, description);
}

void Flags::lists(const std::string& names, const char* what, std::vector<std::vector<std::string>>& values,
                  const std::string& description) {
  auto split = [&values](const std::vector<std::string>& given) {
    values.clear();
    for (const auto& text : given) values.push_back(words_between_commas(text));
  };
  all(names, what, split, description);
}

void Flags::all(const std::string& names, const char* what, std::function<void(const std::vector<std::string>&)> take,
                const std::string& description) {
  auto keep = [take = std::move(take)](const CLI::results_t& given) {
    take(given);
    return true;
  };
  auto* option = app_.add_option(names, CLI::callback_t(keep), description);
  option->group(heading_)->type_name(what)->expected(-1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->allow_extra_args(false);
}

void Flags::parsed(const std::string& names, const char* what, const std::string& description,
                   std::function<void(const std::string&)> parse) {
  auto keep = [parse = std::move(parse)](const CLI::results_t& given) {
    parse(given.back());
    return true;
  };
  auto* option = app_.add_option(names, CLI::callback_t(keep), description);
  option->group(heading_)->type_name(what)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Flags::text(const std::string& names, const char* what, std::string& value, const std::string& description) {
  parsed(names, what, description, [&value](const std::string& given) { value = given; });
}

void Flags::number(const std::string& names, std::uint64_t& value, std::uint64_t least, std::uint64_t most,
                   const std::string& description) {
  parsed(names, "N", description, [=, &value, name = long_name(names)](const std::string& given) {
    value = parse_number(name, given, least, most);
  });
}

void Flags::refuse_choice(const std::string& names, const std::string& words, const std::string& given) {
  throw Error(Code::usage, fmt::format("{} wants one of {}, not '{}'", long_name(names), words, given));
}

}  // namespace mbu::cli
