#include "config/retention.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/duration.hpp"

namespace mbu::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kYear = 366 * kDay;
constexpr std::int64_t kLongest = 1000 * kYear;

constexpr std::array<LengthUnit, 7> kUnits{
    {{"s", 1}, {"min", kMinute}, {"h", kHour}, {"d", kDay}, {"w", 7 * kDay}, {"M", 31 * kDay}, {"y", kYear}}};

using Every = Retention::Every;
constexpr std::array<std::pair<std::string_view, Every>, 6> kPeriods{{{"all", Every::all},
                                                                     {"hourly", Every::hourly},
                                                                     {"daily", Every::daily},
                                                                     {"weekly", Every::weekly},
                                                                     {"monthly", Every::monthly},
                                                                     {"yearly", Every::yearly}}};

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
  const auto word = without_blanks(text.substr(blank));
  const auto period = std::ranges::find(kPeriods, word, [](const auto& row) { return row.first; });
  if (period == kPeriods.end()) return std::nullopt;
  rule.every = period->second;
  return rule;
}

}  // namespace

std::optional<std::int64_t> parse_span_s(std::string_view text) { return sum_of_lengths(text, kUnits, kLongest); }

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
