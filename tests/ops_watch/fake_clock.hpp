// A clock that stands until it is set.
#pragma once

#include "base/clock.hpp"

namespace mbu::ops {

class FakeClock final : public Clock {
 public:
  static constexpr std::int64_t kSecond = 1'000'000'000;

  FileTime wall() const override { return {awake_ns_ / kSecond, 0}; }
  std::int64_t monotonic_ns() const override { return awake_ns_; }
  std::int64_t boottime_ns() const override { return awake_ns_ + asleep_ns_; }

  void pass(std::int64_t seconds) { awake_ns_ += seconds * kSecond; }
  void sleep(std::int64_t seconds) { asleep_ns_ += seconds * kSecond; }

 private:
  std::int64_t awake_ns_ = 1000 * kSecond;
  std::int64_t asleep_ns_ = 0;
};

}  // namespace mbu::ops
