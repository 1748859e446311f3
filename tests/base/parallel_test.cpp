#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace mbu {
namespace {

TEST(ParallelFor, VisitsEveryItemOnce) {
  for (const unsigned threads : {0u, 1u, 2u, 7u}) {
    std::vector<std::atomic<int>> visits(1000);
    std::atomic<bool> strange{false};
    parallel_for(threads, visits.size(), [&](unsigned worker, std::size_t item) {
      if (worker >= std::max(threads, 1u)) strange = true;
      ++visits[item];
    });
    for (const auto& count : visits) EXPECT_EQ(count, 1);
    EXPECT_FALSE(strange);
  }
}

TEST(ParallelFor, DoesNothingForNothing) {
  parallel_for(4, 0, [](unsigned, std::size_t) { FAIL(); });
}

TEST(ParallelFor, ThrowsTheFirstExceptionWhenAllHaveStopped) {
  std::atomic<int> running{0};
  const auto run = [&] {
    parallel_for(4, 10'000, [&](unsigned, std::size_t item) {
      ++running;
      const std::shared_ptr<void> leave(nullptr, [&](void*) { --running; });
      if (item == 10) throw std::runtime_error("item 10");
    });
  };
  EXPECT_THROW(
      {
        try {
          run();
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "item 10");
          throw;
        }
      },
      std::runtime_error);
  EXPECT_EQ(running, 0);
}

TEST(ParallelFor, StopsSoonAfterAnException) {
  std::atomic<std::size_t> visited{0};
  EXPECT_THROW(parallel_for(2, 1'000'000,
                            [&](unsigned, std::size_t) {
                              ++visited;
                              throw std::runtime_error("at once");
                            }),
               std::runtime_error);
  EXPECT_LE(visited, 2u);
}

TEST(RunOnThreads, GivesEachAWorkerNumber) {
  std::array<std::atomic<int>, 5> seen{};
  run_on_threads(5, [&](unsigned worker, const FirstException&) { ++seen.at(worker); });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
}

TEST(RunOnThreads, TellsTheOthersOfAFailure) {
  EXPECT_THROW(run_on_threads(2,
                              [](unsigned worker, const FirstException& failure) {
                                if (worker == 0) throw std::runtime_error("worker 0");
                                while (!failure.raised()) std::this_thread::yield();
                              }),
               std::runtime_error);
}

TEST(FirstException, KeepsTheFirst) {
  FirstException failure;
  EXPECT_FALSE(failure.raised());
  failure.rethrow();
  for (const char* text : {"first", "second"}) {
    try {
      throw std::runtime_error(text);
    } catch (...) {
      failure.capture();
    }
  }
  EXPECT_TRUE(failure.raised());
  try {
    failure.rethrow();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

}  // namespace
}  // namespace mbu
