// Spared: what a restore neither removes nor counts as extra though the snapshot lacks it, since the backup met it and left it
// out: mbu's own places, and what could not be read. Private to restore/.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "format/snapshot.hpp"
#include "os/status.hpp"

namespace mbu::ops {

// Immutable once built, any thread.
class Spared {
 public:
  // `own_directories`: as BackupOptions has them. They are known by device and inode, since other names may lead to them.
  Spared(const format::Snapshot& snapshot, const std::vector<std::string>& own_directories);

  // `there` has the name `path` in the snapshot; all below is spared with it.
  [[nodiscard]] bool has(const std::string& path, const os::FileStatus& there) const {
    return is_own(there) || unread_.contains(path);
  }
  [[nodiscard]] bool is_own(const os::FileStatus& there) const { return own_.contains({there.dev, there.ino}); }
  // False when the snapshot names only some of what could not be read: anything it lacks may be such a thing.
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> own_;  // device, inode
  std::set<std::string> unread_;                           // paths in the snapshot
  bool complete_;
};

}  // namespace mbu::ops
