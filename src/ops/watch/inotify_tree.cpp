#include "ops/watch/inotify_tree.hpp"

#include <fcntl.h>
#include <sys/inotify.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "os/listing.hpp"

namespace mbu::ops {
namespace {

// Above the watched paths only names count.
constexpr std::uint32_t kAbove = IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kInside = kAbove | IN_MODIFY | IN_CLOSE_WRITE;

// Of what is watched: so nobody makes us keep gigabytes of names, or nest too many calls, by a chain of directories.
constexpr std::size_t kLongestPath = 8192;

// Whoever packages the tree finds the same, and says so.
bool is_nobody_to_watch(int error) { return error == EACCES || error == ENOENT || error == ENOTDIR || error == ELOOP; }

}  // namespace

InotifyWatches& InotifyTree::start() {
  watches_.reset();  // first: there may not be many
  unwatched_.clear();
  return watches_.emplace();
}

bool InotifyTree::restart(const std::string& watched_path) {
  unwatched_.erase(watched_path);
  const int error = watch_way(watched_path);
  const bool there = renew(watched_path);
  // Where the directories above may not be read (a /home of mode 711) a path that is there tells itself of its end; nobody tells that one
  // has come.
  if (error != 0 && (error != EACCES || !there)) unwatched_.insert(watched_path);
  return there || unwatched_.contains(watched_path);
}

// The errno of what failed; 0: all of the way that exists is watched.
int InotifyTree::watch_way(const std::string& path) {
  int failed = 0;
  for (const auto& directory : WatchedPaths::way_to(path)) {
    const int watch = watches_->watch(directory, kAbove);
    const int error = watch < 0 ? errno : 0;
    if (watch >= 0) {
      watches_->assign(directory, watch);
    } else if (error == ENOENT || error == ENOTDIR) {
      forget(directory);  // the one above it tells when it comes
      return failed;
    } else {
      if (error != EACCES) warn(error);
      if (failed == 0 || failed == EACCES) failed = error;
    }
  }
  return failed;
}

bool InotifyTree::renew(const std::string& directory) {
  const auto opened = open(directory);
  if (opened.fd && enters(directory)) {
    watch_tree(opened.fd, directory);
  } else if (!opened.fd) {
    could_not(directory, opened.error);
    // A single file: what is written to it is told by the directory that it is in.
    const bool is_file = opened.error == ENOTDIR || opened.error == ELOOP;
    if (is_file && paths_.all().contains(directory)) static_cast<void>(watches_->watch(parent_path(directory), kInside));
  }
  return watches_->find(directory) || unwatched_.contains(directory);
}

void InotifyTree::watch_tree(const os::Fd& directory, const std::string& path) {
  if (path.size() > kLongestPath) return could_not(path, ENAMETOOLONG);
  const int watch = watches_->watch(directory, kInside);
  if (watch < 0) return could_not(path, errno);
  if (watches_->find(path) == watch) return;  // since it was watched it has told of all that came into it
  watches_->assign(path, watch);              // before the others are forgotten: it may have been one of them
  watches_->forget_below(path);
  erase_within(unwatched_, path, Reach::self_and_below, [](auto) {});
  watch_below(directory, path);
}

void InotifyTree::watch_below(const os::Fd& directory, const std::string& path) {
  std::vector<std::string> names;
  try {
    names = os::list_directories(directory.get(), {Code::source, path});
  } catch (const Error& error) {
    return could_not(path, error.system_errno());
  }
  for (const auto& name : names) {
    const auto below = join_path(path, name);
    if (!enters(below)) continue;
    const auto opened = open_directory(directory.get(), name);
    if (opened.fd) {
      watch_tree(opened.fd, below);
    } else {
      could_not(below, opened.error);
    }
  }
}

void InotifyTree::could_not(const std::string& path, int error) {
  forget(path);
  if (is_nobody_to_watch(error)) return;
  unwatched_.insert(path);
  warn(error);
}

void InotifyTree::warn(int error) {
  auto& warned = error == ENOSPC ? warned_of_limit_ : warned_;
  if (std::exchange(warned, true) || !request_.warn) return;
  const std::string then = "; directories beyond that are compared every now and then instead, which takes longer";
  if (error == ENOSPC) {
    request_.warn("there are more directories than this user may watch: raise the limit fs.inotify.max_user_watches (sysctl)" + then);
  } else {
    request_.warn("cannot watch all directories: " + std::generic_category().message(error) + then);
  }
}

void InotifyTree::forget(const std::string& path) {
  watches_->forget(path);
  erase_within(unwatched_, path, Reach::self_and_below, [](auto) {});
}

// Above the watched path symlinks are followed, as they are when it is packaged; from there on none is.
InotifyTree::Opened InotifyTree::open(const std::string& path) const {
  const std::string& watched = *paths_.around(path);
  auto top = open_directory(AT_FDCWD, watched);
  if (!top.fd || path == watched) return top;
  const auto parent = parent_path(path);
  const auto name = path.substr(path.rfind('/') + 1);
  if (parent == watched) return open_directory(top.fd.get(), name);
  try {
    const auto between = parent.substr(watched == "/" ? 1 : watched.size() + 1);
    const auto fd = os::open_beneath(top.fd.get(), between, O_PATH | O_DIRECTORY, 0, {Code::source, parent});
    return open_directory(fd.get(), name);
  } catch (const Error& error) {
    return {os::Fd(), error.system_errno()};
  }
}

// Leaves no trace in access times where the kernel lets us.
InotifyTree::Opened InotifyTree::open_directory(int at, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  os::Fd fd(::openat(at, name.c_str(), kFlags | O_NOATIME));
  if (!fd && errno == EPERM) fd = os::Fd(::openat(at, name.c_str(), kFlags));
  const int error = fd ? 0 : errno;
  return {std::move(fd), error};
}

}  // namespace mbu::ops
