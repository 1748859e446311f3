// Thins out what a watcher has made, as its options say. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mbu/types/options.hpp"
#include "mbu/types/results.hpp"
#include "repo/context.hpp"
#include "repo/snapshots.hpp"

namespace mbu::api {

class WatchRetention {
 public:
  // References outlive this. `vault` is the context's, with the owner's keys.
  WatchRetention(const repo::Context& context, repo::Vault& vault) : context_(context), vault_(vault) {}

  // Call after each snapshot. Looks from time to time which earlier ones of the same writer and instance, host, paths and tags `keep` lets go, and has them
  // forgotten, durably. Throws errors of the store: nothing is forgotten then.
  void made(const repo::StoredSnapshot& snapshot, const Retention& keep);

 private:
  void forget_series();
  void load_series(const repo::StoredSnapshot& last);
  void thin_out(const Retention& keep);

  const repo::Context& context_;
  repo::Vault& vault_;
  std::optional<std::vector<SnapshotInfo>> series_;  // not forgotten; nothing: not read yet
  std::int64_t due_ns_ = 0;                          // monotonic
};

}  // namespace mbu::api
