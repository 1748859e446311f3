#include "units.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <cmath>
#include <cstdlib>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

Error wrong(const std::string& flag, std::string_view text, const std::string& wanted) {
  return Error(Code::usage, fmt::format("{} wants {}, not '{}'", flag, wanted, text));
}

std::tm local_time(std::int64_t seconds) {
  std::tm parts{};
  const auto moment = static_cast<time_t>(seconds);
  if (::localtime_r(&moment, &parts) == nullptr) parts = {};
  return parts;
}

std::string format_offset(long seconds) {
  if (seconds == 0) return "Z";
  const long minutes = std::labs(seconds) / 60;
  return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

// Reads a date and time piece by piece; every step says whether it fitted.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + count, value);
    if (error != std::errc{} || end != rest_.data() + count || rest_[0] == '-') return false;
    rest_.remove_prefix(count);
    return true;
  }
  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // ".123": up to nine digits, as nanoseconds.
  bool fraction(std::int64_t& nanoseconds) {
    std::int64_t scale = 100'000'000;
    bool some = false;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      nanoseconds += (rest_[0] - '0') * scale;
      scale /= 10;
      some = true;
      rest_.remove_prefix(1);
    }
    return some;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_[0]; }

 private:
  std::string_view rest_;
};

bool read_date_and_time(TimeReader& reader, std::tm& parts) {
  const bool fits = reader.digits(4, parts.tm_year) && reader.one_of("-") && reader.digits(2, parts.tm_mon) &&
                    reader.one_of("-") && reader.digits(2, parts.tm_mday) && reader.one_of(" Tt") &&
                    reader.digits(2, parts.tm_hour) && reader.one_of(":") && reader.digits(2, parts.tm_min) &&
                    reader.one_of(":") && reader.digits(2, parts.tm_sec);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return fits && parts.tm_mon >= 0 && parts.tm_mon < 12 && parts.tm_mday >= 1 && parts.tm_mday <= 31 &&
         parts.tm_hour < 24 && parts.tm_min < 60 && parts.tm_sec <= 60;
}

bool read_offset(TimeReader& reader, long& seconds) {
  if (reader.one_of("Zz")) return true;
  const long sign = reader.next() == '-' ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if (!reader.one_of("+-") || !reader.digits(2, hours) || !reader.one_of(":") || !reader.digits(2, minutes)) return false;
  seconds = sign * (hours * 3600L + minutes * 60L);
  return true;
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string format_counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

std::string format_clock(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(0.0, std::round(seconds)));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_seconds(double seconds) {
  return seconds < 60 ? fmt::format("{:.2f} s", seconds) : format_clock(seconds);
}

std::string format_local_time(std::int64_t seconds) {
  const std::tm parts = local_time(seconds);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string format_rfc3339(std::int64_t seconds, std::uint32_t nanoseconds) {
  const std::tm parts = local_time(seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}{}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds, format_offset(parts.tm_gmtoff));
}

std::uint64_t parse_number(const std::string& flag, std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    throw wrong(flag, text, most == UINT64_MAX ? "a number" : fmt::format("a number from {} to {}", least, most));
  }
  return number;
}

std::uint64_t parse_size(const std::string& flag, std::string_view text) {
  const Error error = wrong(flag, text, "a size like 500k, 10M, 2G or 1T");
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) throw error;
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::string_view kPrefixes = "kmgt";
  unsigned shift = 0;
  if (!suffix.empty() && suffix[0] != 'b' && suffix[0] != 'B') {
    const auto power = kPrefixes.find(static_cast<char>(suffix[0] | 0x20));
    if (power == std::string_view::npos) throw error;
    shift = 10 * static_cast<unsigned>(power + 1);
    suffix.remove_prefix(1);
  }
  if (!suffix.empty() && suffix != "b" && suffix != "B" && suffix != "iB" && suffix != "ib") throw error;
  if (number > (UINT64_MAX >> shift)) throw error;
  return number << shift;
}

std::int64_t parse_time(const std::string& flag, const std::string& text) {
  if (text == "now") return static_cast<std::int64_t>(::time(nullptr)) * 1'000'000'000;
  const Error error = wrong(flag, text, "\"YYYY-MM-DD HH:MM:SS\", a time as in RFC 3339, or \"now\"");
  TimeReader reader(text);
  std::tm parts{};
  if (!read_date_and_time(reader, parts)) throw error;
  parts.tm_isdst = -1;
  std::int64_t nanoseconds = 0;
  if (reader.one_of(".") && !reader.fraction(nanoseconds)) throw error;
  const std::tm asked = parts;
  time_t seconds = 0;
  if (reader.at_end()) {
    seconds = ::mktime(&parts);
  } else {
    long offset = 0;
    if (!read_offset(reader, offset) || !reader.at_end()) throw error;
    seconds = ::timegm(&parts) - offset;
  }
  if (parts.tm_mday != asked.tm_mday || parts.tm_mon != asked.tm_mon) throw error;  // the 30th of February
  constexpr time_t kBound = INT64_MAX / 1'000'000'000 - 1;
  if (seconds > kBound || seconds < -kBound) throw error;
  return static_cast<std::int64_t>(seconds) * 1'000'000'000 + nanoseconds;
}

}  // namespace mbu::cli
