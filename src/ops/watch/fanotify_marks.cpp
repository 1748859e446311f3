#include "ops/watch/fanotify_marks.hpp"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace mbu::ops {
namespace {

constexpr std::uint64_t kEvents =
    FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR;

constexpr std::uint64_t kNameEvents =
    FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_ATTRIB | FAN_ONDIR | FAN_EVENT_ON_CHILD;

constexpr std::size_t kMostPaths = 50'000;  // some 200 bytes each

// As file_handle(2) wants it: with the largest handle there is, aligned.
union Handle {
  file_handle head;
  char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];
};

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR || error == ESTALE; }

os::Fd open_directory(const std::string& path) { return os::Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

std::string fsid_of(const os::Fd& directory) {
  struct statfs status {};
  if (::fstatfs(directory.get(), &status) != 0) return {};
  return {reinterpret_cast<const char*>(&status.f_fsid), sizeof status.f_fsid};
}

// Whether directories of that file system can be opened by their handles. 0, or the errno.
int try_handle(const os::Fd& directory) {
  Handle handle{};
  handle.head.handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  if (::name_to_handle_at(directory.get(), "", &handle.head, &mount_id, AT_EMPTY_PATH) != 0) return errno;
  const os::Fd opened(::open_by_handle_at(directory.get(), &handle.head, O_PATH | O_DIRECTORY | O_CLOEXEC));
  return opened ? 0 : errno;
}

// Of an open directory; empty: it has none, or none that the kernel can write down.
std::string path_of(const os::Fd& directory) {
  char path[PATH_MAX];
  const auto size = ::readlink(("/proc/self/fd/" + std::to_string(directory.get())).c_str(), path, sizeof path);
  return size <= 0 || size == static_cast<ssize_t>(sizeof path) ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

}  // namespace

FanotifyMarks::FanotifyMarks()
    : fanotify_(::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME, O_RDONLY | O_CLOEXEC)) {
  if (fanotify_) return;
  const Error error = os::system_error({Code::failed, {}}, "watch whole file systems (fanotify)", errno);
  if (error.system_errno() == EPERM) {
    throw Error(Code::failed, error.happened(), {}, "run it as root, or watch by inotify", EPERM);
  }
  if (error.system_errno() == EINVAL || error.system_errno() == ENOSYS) {
    throw Error(Code::failed, error.happened(), {}, "watch by inotify; fanotify needs Linux 5.9", error.system_errno());
  }
  throw error;
}

int FanotifyMarks::add(const std::string& path, const std::string& mount_point, unsigned flags, std::uint64_t events) {
  const auto directory = open_directory(path);
  if (!directory) return errno;
  if (const int error = try_handle(directory); error != 0) return error;
  if (::fanotify_mark(fanotify_.get(), FAN_MARK_ADD | flags, events, directory.get(), nullptr) != 0) return errno;
  mount_points_[fsid_of(directory)].insert(mount_point);
  return 0;
}

int FanotifyMarks::mark(const std::string& mount_point) { return add(mount_point, mount_point, FAN_MARK_FILESYSTEM, kEvents); }

int FanotifyMarks::mark_names(const std::string& path, const std::string& mount_point) {
  return add(path, mount_point, FAN_MARK_ONLYDIR, kNameEvents);
}

void FanotifyMarks::forget_mount_points() {
  mount_points_.clear();
  paths_.clear();
}

std::optional<std::vector<std::string>> FanotifyMarks::paths_of(std::string_view fsid, std::string_view handle) {
  std::string key(fsid);
  key += handle;
  if (const auto known = paths_.find(key); known != paths_.end()) return known->second;
  std::vector<std::string> paths;
  const auto points = mount_points_.find(fsid);
  if (points != mount_points_.end()) {
    for (const auto& point : points->second) {
      auto path = find(point, fsid, handle);
      if (!path) return std::nullopt;
      if (!path->empty()) paths.push_back(std::move(*path));
    }
  }
  if (paths_.size() >= kMostPaths) paths_.clear();
  paths_.emplace(std::move(key), paths);
  return paths;
}

// The path by which a mount shows a directory; empty: it does not; nothing: that cannot be found out. Seen from a mount of a part of the
// file system, what lies outside that part has a path that leads nowhere or to something else, and so has what another mount hides or
// what is deleted: hence the look whether it is there.
std::optional<std::string> FanotifyMarks::find(const std::string& mount_point, std::string_view fsid, std::string_view handle) {
  const std::string nowhere;
  Handle wanted{};
  if (handle.size() > sizeof wanted) return std::nullopt;
  std::memcpy(wanted.bytes, handle.data(), handle.size());
  const auto root = open_directory(mount_point);
  if (!root) return is_absent(errno) ? std::optional(nowhere) : std::nullopt;
  if (fsid_of(root) != fsid) return nowhere;
  const os::Fd directory(::open_by_handle_at(root.get(), &wanted.head, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return is_absent(errno) ? std::optional(nowhere) : std::nullopt;
  struct stat meant {};
  if (::fstat(directory.get(), &meant) != 0) return std::nullopt;
  auto path = path_of(directory);
  if (path.empty()) return std::nullopt;
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return errno == ENAMETOOLONG ? std::nullopt : std::optional(nowhere);
  return there.st_dev == meant.st_dev && there.st_ino == meant.st_ino ? path : nowhere;
}

}  // namespace mbu::ops
