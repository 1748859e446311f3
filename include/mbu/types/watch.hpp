// What callers ask of a watcher, how they end it, and what it tells of itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mbu/types/options.hpp"
#include "mbu/types/results.hpp"

namespace mbu {

// Ends a watcher (it finishes the snapshot in hand, and one of what has changed by then, and returns), or has it ask for its options again.
class WatchControl {
 public:
  WatchControl();  // Code::failed: out of descriptors
  WatchControl(const WatchControl&) = delete;
  WatchControl& operator=(const WatchControl&) = delete;
  ~WatchControl();

  // Async-signal-safe; any thread.
  void stop() noexcept;
  void reload() noexcept;
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  // Whether reload() was called since this was asked last. For the watcher, when the descriptor is readable.
  [[nodiscard]] bool take_reload() noexcept;
  // Readable for ever once stop() was called, and until take_reload() after reload().
  [[nodiscard]] int descriptor() const noexcept { return pipe_[0]; }

 private:
  void wake() noexcept;

  std::atomic<bool> stopping_{false}, reloading_{false};
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
  // The owner's keys stay in memory; else they are wiped after the first snapshot, and the Repository can read nothing from then on.
  bool keep_owner = false;
  // Which of its snapshots stay; the others are forgotten from time to time. Not empty: `keep_owner` must be true, else Code::usage.
  Retention keep;

  WatchControl* control = nullptr;               // null: until an error; not owned
  // All of what follows is called from watch() itself, and may be empty.
  // `feed`: "fanotify", "inotify" or "poll"; every change from now on will be seen.
  std::function<void(const std::string& feed)> ready;
  // Something has changed and is about to be packaged: about how many directories are looked at.
  std::function<void(std::uint64_t directories)> change;
  // A snapshot was published.
  std::function<void(const BackupSummary&)> published;
  // The control says to reload: the options from now on, with the same paths. What it throws is warned of, and nothing changes.
  std::function<WatchOptions()> reload;
  // At least so often while nothing hangs; 0: never. A packaging tells by its progress events.
  std::int64_t alive_ms = 0;
  std::function<void()> alive;
  // Called whenever this descriptor is readable; -1: none. False: it has ended, and is not asked again.
  int input = -1;
  std::function<bool()> on_input;
};

// What a watcher does, for who asks on the same machine (mbu/watchers.hpp).
struct WatcherStatus {
  enum class Activity {
    comparing,  // everything, at the start and from time to time
    waiting,    // for changes
    packaging,
    retrying,   // the repository could not be written: `error`
  };
  std::int64_t process = 0;
  std::string location;                  // of the repository
  std::string repository;                // its id, hex
  std::vector<std::string> paths;
  std::string feed;
  Activity activity = Activity::comparing;
  std::uint64_t pending_directories = 0; // changed and not packaged yet, about
  std::int64_t started_s = 0;            // since 1970, as the others
  std::int64_t compared_s = 0;           // when everything was compared last; 0: not yet
  std::uint64_t missed = 0;              // such comparisons that found what no event had told
  std::uint64_t lost_events = 0;         // times that events were lost, and a subtree was compared instead
  std::uint64_t snapshots = 0;           // published since the start
  std::string last_snapshot;             // id, hex; empty: none yet
  std::int64_t last_snapshot_s = 0;
  std::uint64_t problems = 0;            // files of it that are not in it
  std::string error;
  bool keeps_owner = true;               // the owner's keys are in its memory: until the first snapshot, or for ever
};

}  // namespace mbu
