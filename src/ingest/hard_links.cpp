#include "ingest/hard_links.hpp"

namespace mbu::ingest {

void HardLinks::seen(const std::string& directory, const os::FileStatus& status, bool changed, bool everything) {
  const std::scoped_lock lock(mutex_);
  const std::pair key{status.dev, status.ino};
  auto found = files_.find(key);
  const bool known = found != files_.end();
  if (!known) {
    if (files_.size() >= kMost) {
      if (changed && !everything) stale_.add_everything();
      return;
    }
    found = files_.emplace(key, File{}).first;
  }
  auto& file = found->second;
  file.directories.insert(directory);
  const bool other_than_before = file.change != status.ctime;
  file.change = status.ctime;
  if (everything) {
    file.names = status.nlink;
    // It changed while everything was looked at: another name may have been listed before that.
    if (!known || !other_than_before) return;
  } else if (!changed || !other_than_before) {
    return;
  } else if (status.nlink > file.names) {
    // Names that lie outside what is watched are not found by looking again.
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
