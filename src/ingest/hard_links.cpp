#include "ingest/hard_links.hpp"

namespace mbu::ingest {

void HardLinks::seen(const std::string& directory, const os::FileStatus& status, bool changed, bool everything) {
  const std::scoped_lock lock(mutex_);
  const std::pair key{status.dev, status.ino};
  auto found = files_.find(key);
  if (found == files_.end()) {
    if (files_.size() >= kMost) {
      if (changed && !everything) stale_.add_everything();
      return;
    }
    found = files_.emplace(key, File{}).first;
  }
  auto& file = found->second;
  file.directories.insert(directory);
  if (everything) {
    file.names = status.nlink;
    file.change = status.ctime;
    return;
  }
  if (!changed || file.change == status.ctime) return;
  file.change = status.ctime;
  // Names that lie outside what is watched are not found by looking again.
  if (status.nlink > file.names) {
    stale_.add_everything();
    return;
  }
  for (const auto& other : file.directories) {
    if (other != directory) stale_.add(other, Dirty::Scope::entries);
  }
}

Dirty HardLinks::take_stale() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(stale_, {});
}

}  // namespace mbu::ingest
