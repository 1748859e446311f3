// InotifyWatches: an inotify instance and which directory each of its watches is of, by path.
//
// The kernel watches inodes. One of them may be known by several paths: a bind mount, or a directory that was found at its new place
// before its move was told; a watch goes when the last path of it is forgotten. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "os/file.hpp"

namespace mbu::ops {

class InotifyWatches {
 public:
  // Code::failed when there may be no more instances.
  InotifyWatches();

  [[nodiscard]] int descriptor() const noexcept { return inotify_.get(); }

  // Watches an open directory for `events`, besides those it is watched for already; or the one at a path, through symlinks. The watch,
  // which is of no path yet; -1 and errno.
  [[nodiscard]] int watch(const os::Fd& directory, std::uint32_t events);
  [[nodiscard]] int watch(const std::string& directory, std::uint32_t events);

  // `path` is what `watch` is of, and no other.
  void assign(const std::string& path, int watch);
  [[nodiscard]] std::optional<int> find(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> paths_of(int watch) const;
  // The path and all below it are watched no longer.
  void forget(const std::string& path);
  // The same without the path itself.
  void forget_below(const std::string& path);
  // The kernel has taken the watch away.
  void ended(int watch);

 private:
  using Paths = std::map<std::string, int>;
  void release(Paths::iterator path);

  os::Fd inotify_;
  Paths watches_;
  std::unordered_multimap<int, Paths::iterator> paths_;
};

}  // namespace mbu::ops
