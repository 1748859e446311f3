#include "ingest/hard_links.hpp"

#include <algorithm>

namespace mbu::ingest {
namespace {

// Naming more directories for one file costs more than comparing everything.
constexpr std::size_t kMostNamed = 10'000;

}  // namespace

void HardLinks::listed(const Listing& listing) {
  const std::scoped_lock lock(mutex_);
  std::set<FileId> lost;
  lose_names(listing, lost);
  lose_directories(listing, lost);
  for (const auto& id : lost) {
    const auto file = files_.find(id);
    if (file == files_.end()) continue;
    if (file->second.whole || listing.everything) {
      make_stale(file->second, nullptr);
    } else {
      stale_.add_everything();
    }
  }
  if (listing.names.empty()) return;
  const auto directory = directories_.try_emplace(listing.directory).first;
  std::set<FileId> known(directory->second.begin(), directory->second.end());
  for (const auto& name : listing.names) see(listing, name, *directory, known);
  if (directory->second.empty()) directories_.erase(directory);
}

void HardLinks::see(const Listing& listing, const Name& name, Directories::reference directory, std::set<FileId>& known_here) {
  auto found = files_.find(name.file);
  const bool known = found != files_.end();
  if (!known && names_ >= kMost) {
    if (name.changed && !listing.everything) stale_.add_everything();
    return;
  }
  if (!known) found = files_.try_emplace(name.file).first;
  auto& file = found->second;
  if (known_here.insert(name.file).second) add_name(file, name.file, directory);
  const bool other_than_before = std::exchange(file.change, name.change) != name.change;
  if (listing.everything) {
    file.names = name.names;
    // It changed while everything was looked at: another name may have been listed before that.
    if (known && other_than_before) make_stale(file, &directory.first);
  } else if (name.changed && other_than_before) {
    // Names that lie outside what is watched are not found by looking again.
    if (!file.whole || name.names > file.names) return stale_.add_everything();
    make_stale(file, &directory.first);
  }
}

void HardLinks::add_name(File& file, const FileId& id, Directories::reference directory) {
  if (names_ >= kMost) {
    file.whole = false;
    return;
  }
  file.directories.push_back(&directory.first);
  directory.second.push_back(id);
  ++names_;
}

// Of files that had a name in the directory, and have none there now.
void HardLinks::lose_names(const Listing& listing, std::set<FileId>& lost) {
  const auto known = directories_.find(listing.directory);
  if (known == directories_.end()) return;
  std::vector<FileId> there;
  for (const auto& name : listing.names) there.push_back(name.file);
  std::ranges::sort(there);
  std::erase_if(known->second, [&](const FileId& id) {
    if (std::ranges::binary_search(there, id)) return false;
    lose_name(id, known->first);
    lost.insert(id);
    return true;
  });
  if (known->second.empty()) directories_.erase(known);
}

// The same for all below directories that are there no longer, which nobody will list.
void HardLinks::lose_directories(const Listing& listing, std::set<FileId>& lost) {
  const std::string above = listing.directory == "/" ? "/" : listing.directory + '/';
  for (auto at = directories_.upper_bound(above); at != directories_.end() && at->first.starts_with(above);) {
    const auto end = std::min(at->first.find('/', above.size()), at->first.size());
    if (listing.holds_directory(std::string_view(at->first).substr(above.size(), end - above.size()))) {
      // All below it stays; sorted by bytes that lies together, though not right behind the directory itself.
      at = end == at->first.size() ? std::next(at) : directories_.lower_bound(at->first.substr(0, end) + static_cast<char>('/' + 1));
      continue;
    }
    for (const auto& id : at->second) {
      lose_name(id, at->first);
      lost.insert(id);
    }
    at = directories_.erase(at);
  }
}

// From the file; the caller does the rest.
void HardLinks::lose_name(const FileId& id, const std::string& directory) {
  const auto file = files_.find(id);
  std::erase(file->second.directories, &directory);
  --names_;
  if (file->second.directories.empty()) files_.erase(file);
}

void HardLinks::make_stale(const File& file, const std::string* but) {
  if (file.directories.size() > kMostNamed) return stale_.add_everything();
  for (const auto* directory : file.directories) {
    if (directory != but) stale_.add(*directory, Dirty::Scope::entries);
  }
}

Dirty HardLinks::take_stale() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(stale_, {});
}

}  // namespace mbu::ingest
