#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "ops/watch/feed.hpp"

namespace mbu::ops {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;

std::unique_ptr<Feed> poll_feed(std::int64_t interval_ns) {
  FeedRequest request;
  request.paths = {"/a", "/b/c"};
  request.poll_interval_ns = interval_ns;
  return open_feed(FeedKind::poll, std::move(request));
}

// That the feed is due so long after what `act` does.
template <class Act>
void expect_due(const Feed& feed, std::int64_t interval_ns, Act act) {
  const auto before = system_clock().monotonic_ns();
  act();
  const auto after = system_clock().monotonic_ns();
  ASSERT_TRUE(feed.due());
  EXPECT_GE(*feed.due(), before + interval_ns);
  EXPECT_LE(*feed.due(), after + interval_ns);
}

TEST(PollFeed, TellsNothingBeforeItIsDue) {
  const auto feed = poll_feed(kHour);
  EXPECT_EQ(feed->name(), "poll");
  EXPECT_EQ(feed->descriptor(), -1);
  ingest::Dirty dirty;
  feed->collect(dirty);
  EXPECT_TRUE(dirty.empty());
}

TEST(PollFeed, TellsAllPathsWhenItIsDue) {
  const auto feed = poll_feed(1);
  ingest::Dirty dirty;
  feed->collect(dirty);
  const auto* const a = dirty.root().child("a");
  const auto* const b = dirty.root().child("b");
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  ASSERT_NE(b->child("c"), nullptr);
  EXPECT_TRUE(a->subtree && b->child("c")->subtree);
  EXPECT_FALSE(b->subtree || dirty.is_everything());
}

TEST(PollFeed, CountsTheIntervalFromTheComparison) {
  std::unique_ptr<Feed> feed = poll_feed(kHour);
  expect_due(*feed, kHour, [&] { feed->compared(30 * kSecond); });
}

TEST(PollFeed, ChoosesTheIntervalByWhatComparingTakes) {
  const auto feed = poll_feed(0);
  expect_due(*feed, 2 * kSecond, [&] { feed->compared(kSecond / 1000); });
  expect_due(*feed, 150 * kSecond, [&] { feed->compared(kSecond); });
  expect_due(*feed, 2 * kSecond, [&] { feed->compared(0); });
}

}  // namespace
}  // namespace mbu::ops
