// An EventSink for several threads: passes calls on one at a time, counts problems, and lets progress through only
// some ten times a second.
#pragma once

#include <atomic>
#include <mutex>

#include "base/clock.hpp"
#include "mbu/types/events.hpp"

namespace mbu {

class SerialEvents final : public EventSink {
 public:
  // `to` may be null and must outlive this.
  explicit SerialEvents(EventSink* to) noexcept : to_(to) {}

  // Whether it is time for the next progress report; the caller that is told so makes one.
  [[nodiscard]] bool progress_due() noexcept {
    if (to_ == nullptr) return false;
    constexpr std::int64_t kInterval = 100'000'000;
    const auto now = system_clock().monotonic_ns();
    auto last = last_progress_.load(std::memory_order_relaxed);
    return now - last >= kInterval && last_progress_.compare_exchange_strong(last, now);
  }

  void progress(const Progress& progress) override {
    const std::scoped_lock lock(mutex_);
    if (to_ != nullptr) to_->progress(progress);
  }
  void problem(const Problem& problem) override {
    const std::scoped_lock lock(mutex_);
    ++problems_;
    if (to_ != nullptr) to_->problem(problem);
  }
  void warning(const std::string& text) override {
    const std::scoped_lock lock(mutex_);
    if (to_ != nullptr) to_->warning(text);
  }
  void note(const std::string& text) override {
    const std::scoped_lock lock(mutex_);
    if (to_ != nullptr) to_->note(text);
  }

  [[nodiscard]] std::uint64_t problems() const {
    const std::scoped_lock lock(mutex_);
    return problems_;
  }

 private:
  EventSink* to_;
  mutable std::mutex mutex_;
  std::uint64_t problems_ = 0;
  std::atomic<std::int64_t> last_progress_{0};
};

}  // namespace mbu
