// The loop, with a feed, a clock and packaging that the test makes up. What it waits for is an input that is always readable: each round
// asks on_input(), where the test goes on.
#include "ops/watch/watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "os/file.hpp"

namespace mbu::ops {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * FakeClock::kSecond;

class FakeFeed final : public Feed {
 public:
  std::string_view name() const override { return "fake"; }
  int descriptor() const override { return -1; }
  void collect(ingest::Dirty& /*dirty*/) override {}
  std::optional<std::int64_t> due() const override { return due_ns; }
  void begin_again() override { ++begun; }

  std::optional<std::int64_t> due_ns;
  int begun = 0;
};

class WatchLoop : public testing::Test {
 protected:
  WatchLoop() {
    hooks_.ready = [] {};
    hooks_.package = [this](const ingest::Dirty& dirty) {
      packaged_.push_back(dirty.is_everything());
      return true;
    };
    hooks_.found_dirty = [] { return ingest::Dirty(); };
    hooks_.state = [](WatcherStatus::Activity, std::uint64_t) {};
    hooks_.compared = [this](bool missed) { missed_.push_back(missed); };
    hooks_.failed = [](const Error&, std::int64_t) {};
    hooks_.alive = [] {};
    hooks_.control = &control_;
    hooks_.input = zero_.get();
    hooks_.on_input = [this] {
      if (next_ == steps_.size()) {
        control_.stop();
      } else {
        steps_[next_++]();
      }
      return true;
    };
    hooks_.clock = &clock_;
  }

  void run() { EXPECT_EQ(watch(feed_, {0, 0, kDay, 0}, hooks_), WatchEnd::stopped); }

  FakeFeed feed_;
  FakeClock clock_;
  WatchControl control_;
  WatchHooks hooks_;
  std::vector<std::function<void()>> steps_;  // one a round
  std::size_t next_ = 0;
  std::vector<bool> packaged_;                // whether everything was
  std::vector<bool> missed_;                  // of each comparison at its time
  os::Fd zero_{::open("/dev/zero", O_RDONLY | O_CLOEXEC)};
};

TEST_F(WatchLoop, ComparesEverythingOnceADay) {
  steps_ = {[&] { clock_.pass(86'399); }, [&] { clock_.pass(1); }, [] {}};
  run();
  EXPECT_EQ(packaged_, (std::vector<bool>{true, true}));
  EXPECT_EQ(missed_, (std::vector<bool>{false, true}));
  EXPECT_EQ(feed_.begun, 2);
}

// What is polled is told when it is due, and may have changed before that.
TEST_F(WatchLoop, MissesNothingThatIsPolled) {
  feed_.due_ns = clock_.monotonic_ns() + 10 * kDay;
  steps_ = {[&] { clock_.pass(86'400); }, [&] { feed_.due_ns.reset(); }};
  run();
  EXPECT_EQ(missed_, (std::vector<bool>{false, false}));
}

TEST_F(WatchLoop, ComparesEverythingAfterTheMachineHasSlept) {
  steps_ = {[&] { clock_.sleep(5); }, [] {}, [] {}};
  run();
  EXPECT_EQ(packaged_, (std::vector<bool>{true, true}));
  EXPECT_EQ(missed_, (std::vector<bool>{false}));
  EXPECT_EQ(feed_.begun, 2);
}

// Once, and what is found is no miss.
TEST_F(WatchLoop, CountsADayInWhichTheMachineSlept) {
  steps_ = {[&] { clock_.sleep(86'400); }, [] {}, [] {}};
  run();
  EXPECT_EQ(packaged_, (std::vector<bool>{true, true}));
  EXPECT_EQ(missed_, (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace mbu::ops
