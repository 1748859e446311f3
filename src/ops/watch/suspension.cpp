// timerfd_create(2): a timer by the time of day is cancelled when that is set, and resuming counts as that. It is set so late that it does
// nothing else, so that whoever waits for it is woken at once and else never.
#include "ops/watch/suspension.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <limits>

namespace mbu::ops {
namespace {

constexpr std::int64_t kLeast = 1'000'000'000;

os::Fd timer_that_is_cancelled() {
  os::Fd timer(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<time_t>::max();
  if (timer && ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) != 0) return os::Fd();
  return timer;
}

}  // namespace

Suspension::Suspension(const Clock& clock) : clock_(clock), resumed_(timer_that_is_cancelled()), slept_ns_(slept_ns()) {}

bool Suspension::has_passed() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto got = ::read(resumed_.get(), &expirations, sizeof expirations);  // fails, and it is readable no longer
  const auto slept = slept_ns();
  if (slept - slept_ns_ < kLeast) return false;
  slept_ns_ = slept;
  return true;
}

// But for the moment between two looks at clocks.
std::int64_t Suspension::slept_ns() const {
  const auto awake = clock_.monotonic_ns();
  return clock_.boottime_ns() - awake;
}

}  // namespace mbu::ops
