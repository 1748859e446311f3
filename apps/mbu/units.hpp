// Sizes, counts and times as people read and write them. Pure but for the time zone; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mbu::cli {

[[nodiscard]] std::string format_bytes(std::uint64_t bytes);        // "17 B", "1.2 GiB"
[[nodiscard]] std::string format_count(std::uint64_t count);        // "1,234,567"
// "1 file", "2 files": `noun` takes an s.
[[nodiscard]] std::string format_counted(std::uint64_t count, std::string_view noun);
[[nodiscard]] std::string format_clock(double seconds);             // "0:07", "1:02:03"
[[nodiscard]] std::string format_seconds(double seconds);           // "0.42 s", "1:07"
[[nodiscard]] std::string format_local_time(std::int64_t seconds);  // "2026-01-31 18:30:00"
[[nodiscard]] std::string format_rfc3339(std::int64_t seconds, std::uint32_t nanoseconds);

// All of these throw Code::usage naming `flag`.

// A number with an optional suffix k, M, G or T (powers of 1024; "K", "KiB" and "KB" mean the same).
[[nodiscard]] std::uint64_t parse_size(const std::string& flag, std::string_view text);
[[nodiscard]] std::uint64_t parse_number(const std::string& flag, std::string_view text, std::uint64_t least,
                                         std::uint64_t most);
// Nanoseconds since 1970 from "YYYY-MM-DD HH:MM:SS" (local time), RFC 3339, or "now".
[[nodiscard]] std::int64_t parse_time(const std::string& flag, const std::string& text);

}  // namespace mbu::cli
