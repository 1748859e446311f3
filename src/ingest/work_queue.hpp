// WorkQueue: a stack of tasks that many workers share. Last in, first out: a tree is walked depth first, so what waits is what lies
// beside the path to the root and not the whole tree.
//
// Any thread. Ends by itself when no task waits and none runs.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace mbu::ingest {

template <class Task>
class WorkQueue {
 public:
  void push(Task task) {
    {
      const std::scoped_lock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    ready_.notify_one();
  }

  // Runs tasks until all are done or stop() was called. `run` may push more.
  template <class Run>
  void work(Run run) {
    std::unique_lock lock(mutex_);
    for (;;) {
      ready_.wait(lock, [&] { return stopped_ || !tasks_.empty() || running_ == 0; });
      if (stopped_ || tasks_.empty()) break;
      Task task = std::move(tasks_.back());
      tasks_.pop_back();
      ++running_;
      lock.unlock();
      try {
        run(task);
      } catch (...) {
        stop();
        throw;
      }
      lock.lock();
      --running_;
      if (running_ == 0 && tasks_.empty()) ready_.notify_all();
    }
    lock.unlock();
    ready_.notify_all();
  }

  // Every worker ends after the task it is at.
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    ready_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<Task> tasks_;
  std::size_t running_ = 0;
  bool stopped_ = false;
};

}  // namespace mbu::ingest
