#include "config/retention.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace mbu::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kYear = 366 * kDay;
constexpr std::int64_t kLongest = 1000 * kYear;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> kUnits{
    {{"s", 1}, {"min", kMinute}, {"h", kHour}, {"d", kDay}, {"w", 7 * kDay}, {"M", 31 * kDay}, {"y", kYear}}};

using Every = Retention::Every;
constexpr std::array<std::pair<std::string_view, Every>, 6> kPeriods{{{"all", Every::all},
                                                                     {"hourly", Every::hourly},
                                                                     {"daily", Every::daily},
                                                                     {"weekly", Every::weekly},
                                                                     {"monthly", Every::monthly},
                                                                     {"yearly", Every::yearly}}};

template <class Table>
auto look_up(const Table& table, std::string_view word) -> std::optional<decltype(table.front().second)> {
  const auto found = std::ranges::find(table, word, [](const auto& row) { return row.first; });
  if (found == table.end()) return std::nullopt;
  return found->second;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::optional<Retention::Rule> parse_rule(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  Retention::Rule rule;
  if (const auto span = text.substr(0, blank); span != "forever") {
    const auto seconds = parse_span_s(span);
    if (!seconds) return std::nullopt;
    rule.within_s = *seconds;
  }
  const auto every = look_up(kPeriods, without_blanks(text.substr(blank)));
  if (!every) return std::nullopt;
  rule.every = *every;
  return rule;
}

}  // namespace

std::optional<std::int64_t> parse_span_s(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = text.substr(0, text.find_first_of("0123456789"));
    const auto seconds = look_up(kUnits, unit);
    if (!seconds || number > kLongest / *seconds) return std::nullopt;
    text.remove_prefix(unit.size());
    total += number * *seconds;
    if (total > kLongest) return std::nullopt;
  }
  return total;
}

std::optional<Retention> parse_retention(std::string_view text) {
  Retention retention;
  while (true) {
    const auto comma = text.find(',');
    const auto rule = parse_rule(without_blanks(text.substr(0, comma)));
    if (!rule) return std::nullopt;
    retention.rules.push_back(*rule);
    if (comma == std::string_view::npos) return retention;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace mbu::config
