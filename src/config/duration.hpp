// Lengths of time as people write them: "300ms", "30s", "1m30s", "2h". Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mbu::config {

// Milliseconds; nothing when `text` is no such length, has no unit, or is longer than a year.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(std::string_view text);

}  // namespace mbu::config
