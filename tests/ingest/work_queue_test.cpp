#include "ingest/work_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "base/parallel.hpp"

namespace mbu::ingest {
namespace {

TEST(WorkQueue, RunsTasksThatTasksPushAndEndsByItself) {
  for (const unsigned threads : {1u, 4u}) {
    WorkQueue<int> queue;
    queue.push(12);
    std::atomic<int> run{0};
    run_on_threads(threads, [&](unsigned, const FirstException&) {
      queue.work([&](int depth) {
        ++run;
        if (depth > 0) queue.push(depth - 1);
        if (depth > 0) queue.push(depth - 1);
      });
    });
    EXPECT_EQ(run, (1 << 13) - 1);
  }
}

TEST(WorkQueue, EndsWhenThereIsNothingToDo) {
  WorkQueue<int> queue;
  run_on_threads(3, [&](unsigned, const FirstException&) { queue.work([](int) { FAIL(); }); });
}

TEST(WorkQueue, TakesTheNewestFirst) {
  WorkQueue<int> queue;
  for (int i = 0; i < 3; ++i) queue.push(i);
  std::vector<int> order;
  queue.work([&](int task) { order.push_back(task); });
  EXPECT_EQ(order, (std::vector{2, 1, 0}));
}

TEST(WorkQueue, StopsAllWorkersAfterAnException) {
  // There is always more to do: nothing but the exception ends this.
  WorkQueue<int> queue;
  for (int i = 0; i < 8; ++i) queue.push(i);
  std::atomic<int> run{0};
  EXPECT_THROW(run_on_threads(4,
                              [&](unsigned, const FirstException&) {
                                queue.work([&](int task) {
                                  if (++run == 10) throw std::runtime_error("ten");
                                  queue.push(task);
                                });
                              }),
               std::runtime_error);
}

TEST(WorkQueue, LeavesTheRestWhenStopped) {
  WorkQueue<int> queue;
  for (int i = 0; i < 100; ++i) queue.push(i);
  int run = 0;
  queue.work([&](int) {
    if (++run == 5) queue.stop();
  });
  EXPECT_EQ(run, 5);
}

}  // namespace
}  // namespace mbu::ingest
