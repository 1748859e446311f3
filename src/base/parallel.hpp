// Work shared among threads: a counter that each takes the next item from. The first exception ends the others at their next item
// and is thrown again when all have stopped.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "mbu/types/error.hpp"

namespace mbu {

// The first of the exceptions that several threads met; but a failed sync, which is final, comes before all others.
class FirstException {
 public:
  // In a catch block; any thread.
  void capture() noexcept {
    const auto current = std::current_exception();
    const bool is_final = is_failed_sync(current);
    const std::scoped_lock lock(mutex_);
    if (!exception_ || is_final) exception_ = current;
    raised_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  // When the threads have ended.
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  static bool is_failed_sync(const std::exception_ptr& exception) noexcept {
    try {
      std::rethrow_exception(exception);
    } catch (const SyncFailed&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  std::mutex mutex_;
  std::exception_ptr exception_;
  std::atomic<bool> raised_{false};
};

// Calls work(worker) on `threads` threads at once; worker counts from 0. Returns when all have.
template <class Work>
void run_on_threads(unsigned threads, Work work) {
  FirstException failure;
  const auto guarded = [&](unsigned worker) {
    try {
      work(worker, failure);
    } catch (...) {
      failure.capture();
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned worker = 1; worker < threads; ++worker) others.emplace_back(guarded, worker);
    guarded(0);
  }
  failure.rethrow();
}

// Calls work(worker, item) for each item from 0 to count - 1.
template <class Work>
void parallel_for(unsigned threads, std::size_t count, Work work) {
  std::atomic<std::size_t> next{0};
  run_on_threads(threads, [&](unsigned worker, const FirstException& failure) {
    for (std::size_t item = next++; item < count && !failure.raised(); item = next++) work(worker, item);
  });
}

}  // namespace mbu
