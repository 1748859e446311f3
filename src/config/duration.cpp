#include "config/duration.hpp"

#include <array>
#include <charconv>

namespace mbu::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
// "ms" before "m": the first that fits is taken.
constexpr std::array<Unit, 5> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::int64_t kLongest = 366 * kUnits.back().milliseconds;

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > kLongest) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (found == nullptr && text.starts_with(unit.name)) found = &unit;
    }
    if (found == nullptr || number > kLongest / found->milliseconds) return std::nullopt;
    text.remove_prefix(found->name.size());
    total += number * found->milliseconds;
    if (total > kLongest) return std::nullopt;
  }
  return total;
}

}  // namespace mbu::config
