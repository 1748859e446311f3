// Time comes through here, so that tests can set it. Any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace mbu {

// A moment as files carry it: seconds since 1970 and nanoseconds within the second.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const FileTime&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual FileTime wall() const = 0;                   // may jump
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;       // never jumps back; stands still while the machine sleeps
  [[nodiscard]] virtual std::int64_t boottime_ns() const = 0;        // the same, but goes on then
};

// The machine's clocks. Lives for ever.
[[nodiscard]] const Clock& system_clock();

}  // namespace mbu
