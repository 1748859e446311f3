#include "base/serial_events.hpp"

#include <gtest/gtest.h>

#include "base/parallel.hpp"

namespace mbu {
namespace {

// Counts without a lock: calls that overlap would lose counts, and a race detector would see them.
struct Counting final : EventSink {
  std::uint64_t calls = 0;
  void progress(const Progress&) override { ++calls; }
  void problem(const Problem&) override { ++calls; }
  void warning(const std::string&) override { ++calls; }
  void note(const std::string&) override { ++calls; }
};

TEST(SerialEvents, PassesOnOneAtATime) {
  Counting sink;
  SerialEvents events(&sink);
  parallel_for(4, 4000, [&](unsigned, std::size_t item) {
    if (item % 4 == 0) events.problem({});
    if (item % 4 == 1) events.warning("w");
    if (item % 4 == 2) events.note("n");
    if (item % 4 == 3) events.progress({});
  });
  EXPECT_EQ(sink.calls, 4000u);
  EXPECT_EQ(events.problems(), 1000u);
}

TEST(SerialEvents, CountsProblemsThatNobodyHears) {
  SerialEvents events(nullptr);
  events.problem({});
  events.warning("w");
  EXPECT_EQ(events.problems(), 1u);
  EXPECT_FALSE(events.progress_due());
}

TEST(SerialEvents, LetsProgressThroughSeldom) {
  Counting sink;
  SerialEvents events(&sink);
  EXPECT_TRUE(events.progress_due());
  int due = 0;
  for (int i = 0; i < 1000; ++i) due += events.progress_due() ? 1 : 0;
  EXPECT_LE(due, 1);
}

}  // namespace
}  // namespace mbu
