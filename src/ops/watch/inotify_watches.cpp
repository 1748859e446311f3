#include "ops/watch/inotify_watches.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "ops/watch/path.hpp"

namespace mbu::ops {
namespace {

constexpr const char* kDescriptors = "/proc/self/fd/";

}  // namespace

InotifyWatches::InotifyWatches() : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (inotify_) {
    if (::access(kDescriptors, X_OK) == 0) return;
    throw os::system_error({Code::failed, kDescriptors}, "watch for changes without it", errno);
  }
  const Error error = os::system_error({Code::failed, {}}, "watch for changes", errno);
  if (error.system_errno() != EMFILE) throw error;
  throw Error(Code::failed, "cannot watch for changes: this user has as many inotify instances as he may", {},
              "raise fs.inotify.max_user_instances (sysctl) or the limit of open files (ulimit -n)", EMFILE);
}

// By way of /proc, since inotify takes no descriptor: what is watched is what was opened, however long its path and whatever takes its
// place meanwhile.
int InotifyWatches::watch(const os::Fd& directory, std::uint32_t events) {
  return watch(kDescriptors + std::to_string(directory.get()), events);
}

int InotifyWatches::watch(const std::string& directory, std::uint32_t events) {
  // IN_MASK_ADD: one inode may be watched for several reasons.
  return ::inotify_add_watch(inotify_.get(), directory.c_str(), events | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD);
}

void InotifyWatches::assign(const std::string& path, int watch) {
  const auto found = watches_.find(path);
  if (found != watches_.end()) {
    if (found->second == watch) return;
    release(found);
    found->second = watch;
    paths_.emplace(watch, found);
  } else {
    paths_.emplace(watch, watches_.emplace(path, watch).first);
  }
}

std::optional<int> InotifyWatches::find(const std::string& path) const {
  const auto found = watches_.find(path);
  return found == watches_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> InotifyWatches::paths_of(int watch) const {
  std::vector<std::string> paths;
  const auto [from, to] = paths_.equal_range(watch);
  for (auto at = from; at != to; ++at) paths.push_back(at->second->first);
  return paths;
}

void InotifyWatches::forget(const std::string& path) {
  erase_within(watches_, path, Reach::self_and_below, [this](Paths::iterator one) { release(one); });
}

void InotifyWatches::forget_below(const std::string& path) {
  erase_within(watches_, path, Reach::below, [this](Paths::iterator one) { release(one); });
}

void InotifyWatches::ended(int watch) {
  const auto [from, to] = paths_.equal_range(watch);
  for (auto at = from; at != to; ++at) watches_.erase(at->second);
  paths_.erase(watch);
}

void InotifyWatches::release(Paths::iterator path) {
  const int watch = path->second;
  const auto [from, to] = paths_.equal_range(watch);
  for (auto at = from; at != to; ++at) {
    if (at->second != path) continue;
    paths_.erase(at);
    break;
  }
  // It fails when the kernel has taken it away already and not told yet.
  if (!paths_.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
}

}  // namespace mbu::ops
