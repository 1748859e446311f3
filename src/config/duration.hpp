// Lengths of time as people write them: "300ms", "30s", "1m30s", "2h". Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mbu::config {

struct LengthUnit {
  std::string_view name;
  std::int64_t size = 1;
};
// The sum of numbers with units behind them, in what units are sized by. Of units that both fit, the first counts. Nothing when `text` is no such sum, or
// more than `longest`.
[[nodiscard]] std::optional<std::int64_t> sum_of_lengths(std::string_view text, std::span<const LengthUnit> units, std::int64_t longest);

// Milliseconds; nothing when `text` is no such length, has no unit, or is longer than a year.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(std::string_view text);

}  // namespace mbu::config
