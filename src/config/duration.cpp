#include "config/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mbu::config {
namespace {

// "ms" before "m": the first that fits is taken.
constexpr std::array<LengthUnit, 5> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::int64_t kLongest = 366 * kUnits.back().size;

}  // namespace

std::optional<std::int64_t> sum_of_lengths(std::string_view text, std::span<const LengthUnit> units, std::int64_t longest) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = std::ranges::find_if(units, [rest = text](const LengthUnit& fits) { return rest.starts_with(fits.name); });
    if (unit == units.end() || number > longest / unit->size) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += number * unit->size;
    if (total > longest) return std::nullopt;
  }
  return total;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) { return sum_of_lengths(text, kUnits, kLongest); }

}  // namespace mbu::config
