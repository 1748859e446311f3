// watch: changes that a feed tells become snapshots, after a moment of quiet.
//
// The loop knows when; what a snapshot is and which feed tells is the caller's. One thread.
#pragma once

#include "mbu/types/watch.hpp"
#include "ops/watch/feed.hpp"

namespace mbu::ops {

struct WatchTimes {
  std::int64_t settle_ns = 0;     // quiet time before a change is packaged
  std::int64_t max_delay_ns = 0;  // longest wait from the first change
  std::int64_t reconcile_ns = 0;  // everything is compared so often
};

// What the loop calls and is told by. None of the functions may be empty but `on_input` when there is no input.
struct WatchHooks {
  std::function<void()> ready;
  // Packages what is dirty. Whether anything had changed.
  std::function<bool(const ingest::Dirty& dirty)> package;
  // What the last packaging found to be dirty that no event will tell of.
  std::function<ingest::Dirty()> found_dirty;
  // Told when a comparison of everything found what no feed had told.
  std::function<void(const std::string& text)> warn;
  const WatchControl* control = nullptr;
  int input = -1;
  std::function<bool()> on_input;
};

// Returns when the control says so, or throws what `package` throws.
void watch(Feed& feed, const WatchTimes& times, const WatchHooks& hooks);

}  // namespace mbu::ops
