// InotifyTree: keeps all directories of the watched paths, and those above them, under watches of one inotify instance.
//
// A directory is watched before it is listed: what is made in it meanwhile is either in the listing or told. What cannot be watched for
// want of watches is named by unwatched(). One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "ops/watch/feed.hpp"
#include "ops/watch/inotify_watches.hpp"
#include "ops/watch/path.hpp"

namespace mbu::ops {

class InotifyTree {
 public:
  // Both must outlive it. Watches nothing yet.
  InotifyTree(const FeedRequest& request, const WatchedPaths& paths) : request_(request), paths_(paths) {}

  // Forgets everything, and what the kernel has queued, and begins again with a new instance. Code::failed when there is none.
  InotifyWatches& start();

  // Watches the way to a watched path, and the path, as they are now. Whether it is a directory that is watched or named by unwatched().
  bool restart(const std::string& watched_path);
  // Watches what is at a path below a watched one, or at it, with all below. Whether a directory is there, as above.
  bool renew(const std::string& directory);

  // Of the paths whose subtrees have to be polled: those that cannot be watched.
  [[nodiscard]] const std::set<std::string>& unwatched() const noexcept { return unwatched_; }

 private:
  struct Opened {
    os::Fd fd;
    int error = 0;  // errno, when there is no descriptor
  };

  [[nodiscard]] int watch_way(const std::string& path);
  void watch_tree(const os::Fd& directory, const std::string& path);
  void watch_below(const os::Fd& directory, const std::string& path);
  void could_not(const std::string& path, int error);
  void warn(int error);
  void forget(const std::string& path);
  [[nodiscard]] Opened open(const std::string& path) const;
  [[nodiscard]] static Opened open_directory(int at, const std::string& name);
  [[nodiscard]] bool enters(const std::string& directory) const { return !request_.enters || request_.enters(directory); }

  const FeedRequest& request_;
  const WatchedPaths& paths_;
  std::optional<InotifyWatches> watches_;
  std::set<std::string> unwatched_;
  bool warned_of_limit_ = false;
  bool warned_ = false;
};

}  // namespace mbu::ops
