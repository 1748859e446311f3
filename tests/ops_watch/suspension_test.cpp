#include "ops/watch/suspension.hpp"

#include <gtest/gtest.h>

#include "fake_clock.hpp"

namespace mbu::ops {
namespace {

TEST(Suspension, IsToldOnceAfterEachSleep) {
  FakeClock clock;
  Suspension suspension(clock);
  EXPECT_FALSE(suspension.has_passed());
  clock.pass(3600);
  EXPECT_FALSE(suspension.has_passed());
  for (int i = 0; i < 2; ++i) {
    clock.sleep(60);
    EXPECT_TRUE(suspension.has_passed());
    EXPECT_FALSE(suspension.has_passed());
  }
}

TEST(Suspension, IsOfNoInterestBeforeItStarted) {
  FakeClock clock;
  clock.sleep(60);
  Suspension suspension(clock);
  EXPECT_FALSE(suspension.has_passed());
}

TEST(Suspension, HasClocksOfTheMachine) {
  const auto awake = system_clock().monotonic_ns();
  EXPECT_GE(system_clock().boottime_ns(), awake);
  Suspension suspension(system_clock());
  EXPECT_GE(suspension.descriptor(), 0);
  EXPECT_FALSE(suspension.has_passed());
}

}  // namespace
}  // namespace mbu::ops
