// A flag that a signal handler or another thread raises to end an operation early. The operation stops at the next piece of
// work, keeps what is finished, and throws Code::interrupted.
#pragma once

#include <atomic>

#include "mbu/types/error.hpp"

namespace mbu {

class Interrupt {
 public:
  // Async-signal-safe; any thread.
  void raise() noexcept { raised_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_relaxed); }
  void check() const {
    if (raised()) throw Error(Code::interrupted, "interrupted");
  }

 private:
  std::atomic<bool> raised_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace mbu
