// HardLinks: in which directories the names of one file lie, for a watcher. A change through one name is told for the directory of that
// name alone, and the entries of all others are stale from then on; here it is found out which these are.
//
// Filled by every listing; only files of several names take room, about 200 bytes each. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "ingest/dirty.hpp"
#include "os/status.hpp"

namespace mbu::ingest {

class HardLinks {
 public:
  // A name of a file with several was listed in `directory`. `changed`: it is not as it was when it was listed last. `everything`: this is
  // a comparison of everything, which will come upon all its names.
  void seen(const std::string& directory, const os::FileStatus& status, bool changed, bool everything);

  // Directories that were found stale since the last call. Everything, when names of a changed file are not known.
  [[nodiscard]] Dirty take_stale();

  // Beyond so many files nothing is remembered, and a change to any of them makes everything stale.
  static constexpr std::size_t kMost = 200'000;

 private:
  struct File {
    std::set<std::string> directories;
    std::uint32_t names = 0;  // all that it had when they were all looked for
    FileTime change;          // the last that was seen to
  };

  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, File> files_;  // by device and inode
  Dirty stale_;
};

}  // namespace mbu::ingest
