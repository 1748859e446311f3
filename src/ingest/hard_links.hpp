// HardLinks: in which directories the names of one file lie, for a watcher. A change through one name is told for the directory of that
// name alone, and the entries of all others are stale from then on; here it is found out which these are. The name may be gone by the time
// its directory is listed (written through, then unlinked): so it is known of each directory, too, which files have a name in it.
//
// Filled by every listing; only files of several names take room: a name some 100 bytes, and a directory that holds any its path. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "ingest/dirty.hpp"

namespace mbu::ingest {

class HardLinks {
 public:
  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

  // A name of a file with several.
  struct Name {
    FileId file{};
    std::uint32_t names = 0;  // of this file, anywhere
    FileTime change{};        // its ctime
    bool changed = false;     // it is not as it was when it was listed last
  };

  struct Listing {
    std::string directory{};                                       // absolute path
    std::vector<Name> names{};                                     // all that it holds, in any order
    std::function<bool(std::string_view name)> holds_directory{};  // whether a directory of that name is in it; never empty
    bool everything = false;                                       // it is part of a comparison of everything, which comes upon all names
  };
  void listed(const Listing& listing);

  // Directories that were found stale since the last call. Everything, when names of a changed file are not known.
  [[nodiscard]] Dirty take_stale();

  // Beyond so many names none is remembered, and a change through any of them makes everything stale; that one of them went away shows when
  // everything is compared.
  static constexpr std::size_t kMost = 200'000;

 private:
  struct File {
    std::vector<const std::string*> directories;  // keys of directories_
    std::uint32_t names = 0;                      // all that it had when they were all looked for
    bool whole = true;                            // none of its names was met that is not remembered
    FileTime change;                              // the last that was seen to
  };
  using Directories = std::map<std::string, std::vector<FileId>, std::less<>>;  // by path: the files with names in it, once each

  // `known_here`: the files that are known to have a name in the directory.
  void see(const Listing& listing, const Name& name, Directories::reference directory, std::set<FileId>& known_here);
  void add_name(File& file, const FileId& id, Directories::reference directory);
  void lose_names(const Listing& listing, std::set<FileId>& lost);
  void lose_directories(const Listing& listing, std::set<FileId>& lost);
  void lose_name(const FileId& id, const std::string& directory);
  void make_stale(const File& file, const std::string* but);

  std::mutex mutex_;
  std::map<FileId, File> files_;
  Directories directories_;
  std::size_t names_ = 0;  // remembered
  Dirty stale_;
};

}  // namespace mbu::ingest
