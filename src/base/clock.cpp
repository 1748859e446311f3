#include "base/clock.hpp"

#include <time.h>

#include <chrono>

namespace mbu {
namespace {

class SystemClock final : public Clock {
 public:
  FileTime wall() const override {
    using namespace std::chrono;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto whole = floor<seconds>(now);
    return {whole.count(), static_cast<std::uint32_t>(duration_cast<nanoseconds>(now - whole).count())};
  }
  std::int64_t monotonic_ns() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t boottime_ns() const override {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace mbu
