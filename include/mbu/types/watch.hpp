// What callers ask of a watcher, and how they end it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "mbu/types/options.hpp"
#include "mbu/types/results.hpp"

namespace mbu {

// Ends a watcher: it finishes the snapshot in hand, and one of what has changed by then, and returns.
class WatchControl {
 public:
  WatchControl();  // Code::failed: out of descriptors
  WatchControl(const WatchControl&) = delete;
  WatchControl& operator=(const WatchControl&) = delete;
  ~WatchControl();

  // Async-signal-safe; any thread.
  void stop() noexcept;
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  // Readable for ever once stop() was called.
  [[nodiscard]] int descriptor() const noexcept { return pipe_[0]; }

 private:
  std::atomic<bool> stopping_{false};
  int pipe_[2] = {-1, -1};
};

struct WatchOptions {
  enum class Feed { automatic, fanotify, inotify, poll };

  BackupOptions backup;                          // one or more paths, no stream, no dry run
  Feed feed = Feed::automatic;
  std::int64_t settle_ms = 300;                  // quiet time before a change is packaged
  std::int64_t max_delay_ms = 30'000;            // longest wait while changes go on
  std::int64_t poll_interval_ms = 0;             // of the poll feed; 0: 150 times what the last round took, at least 2 s
  std::int64_t reconcile_ms = 24LL * 3600 * 1000;  // everything is compared so often, to prove that nothing was missed

  const WatchControl* control = nullptr;         // null: until an error; not owned
  // Called from watch() itself. `feed`: "fanotify", "inotify" or "poll"; every change from now on will be seen.
  std::function<void(const std::string& feed)> ready;
  // Something has changed and is about to be packaged: about how many directories are looked at.
  std::function<void(std::uint64_t directories)> change;
  // A snapshot was published.
  std::function<void(const BackupSummary&)> published;
  // Called whenever this descriptor is readable; -1: none. False: it has ended, and is not asked again.
  int input = -1;
  std::function<bool()> on_input;
};

}  // namespace mbu
