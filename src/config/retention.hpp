// Retention as people write it: lengths of time such as "12h", "7d", "1y6M", and policies such as "1h all, 1d hourly, 1M daily". Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "mbu/types/options.hpp"

namespace mbu::config {

// Seconds from numbers with the units s, min, h, d, w, M (a month: 31 days) and y (366 days); nothing when `text` is no such length or longer
// than a thousand years. `m` alone could be minutes or months, and is neither.
[[nodiscard]] std::optional<std::int64_t> parse_span_s(std::string_view text);

// "SPAN all|hourly|daily|weekly|monthly|yearly", several of them between commas; "forever" is a span, too.
[[nodiscard]] std::optional<Retention> parse_retention(std::string_view text);

}  // namespace mbu::config
