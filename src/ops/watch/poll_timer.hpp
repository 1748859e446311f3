// PollTimer: when something that cannot be watched is to be compared again. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace mbu::ops {

class PollTimer {
 public:
  // `fixed_ns`: the interval; 0: it follows what comparing costs, so that this takes less than one part in a hundred of the time.
  explicit PollTimer(std::int64_t fixed_ns) : fixed_ns_(fixed_ns), interval_ns_(fixed_ns > 0 ? fixed_ns : kLeast) { restart(); }

  [[nodiscard]] std::int64_t due() const noexcept { return due_ns_; }
  [[nodiscard]] bool is_due() const { return system_clock().monotonic_ns() >= due_ns_; }

  // The next interval begins now.
  void restart() { due_ns_ = system_clock().monotonic_ns() + interval_ns_; }
  // The same, after a comparison that took so long.
  void compared(std::int64_t duration_ns) {
    if (fixed_ns_ <= 0) interval_ns_ = std::max(kLeast, std::min(duration_ns, kLongest) * kTimes);
    restart();
  }

 private:
  static constexpr std::int64_t kLeast = 2'000'000'000;
  static constexpr std::int64_t kTimes = 150;
  static constexpr std::int64_t kLongest = std::int64_t{86'400} * 1'000'000'000;  // of a comparison: times kTimes fits in 64 bits

  std::int64_t fixed_ns_;
  std::int64_t interval_ns_;
  std::int64_t due_ns_ = 0;
};

}  // namespace mbu::ops
