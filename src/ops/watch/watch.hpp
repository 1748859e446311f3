// watch: changes that a feed tells become snapshots, after a moment of quiet.
//
// The loop knows when; what a snapshot is and which feed tells is the caller's. One thread.
#pragma once

#include "base/clock.hpp"
#include "mbu/types/watch.hpp"
#include "ops/watch/feed.hpp"

namespace mbu::ops {

struct WatchTimes {
  std::int64_t settle_ns = 0;     // quiet time before a change is packaged
  std::int64_t max_delay_ns = 0;  // longest wait from the first change
  std::int64_t reconcile_ns = 0;  // everything is compared so often, and when the machine has slept
  std::int64_t alive_ns = 0;      // alive() is called so often; 0: never
};

// What the loop calls and is told by. None of the functions may be empty but `on_input` when there is no input.
struct WatchHooks {
  std::function<void()> ready;
  // Packages what is dirty. Whether anything had changed.
  std::function<bool(const ingest::Dirty& dirty)> package;
  // What the last packaging found to be dirty that no event will tell of.
  std::function<ingest::Dirty()> found_dirty;
  // Told of what goes on; `pending`: about how many directories are dirty.
  std::function<void(WatcherStatus::Activity activity, std::uint64_t pending)> state;
  // A comparison of everything is done. `missed`: it found what no feed had told.
  std::function<void(bool missed)> compared;
  // Packaging failed, and is tried again after so many seconds.
  std::function<void(const Error& error, std::int64_t seconds)> failed;
  std::function<void()> alive;
  WatchControl* control = nullptr;
  bool had_snapshot = false;  // before this: an error of the store may be met at once
  int input = -1;
  std::function<bool()> on_input;
  const Clock* clock = &system_clock();
};

enum class WatchEnd { stopped, reload };

// Returns when the control says so. Throws what `package` throws, unless another try may help: an error of the store that is no failed
// sync, met after the first snapshot. When it is told to stop there is no other try.
WatchEnd watch(Feed& feed, const WatchTimes& times, const WatchHooks& hooks);

}  // namespace mbu::ops
