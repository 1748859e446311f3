#include "os/metadata.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <unordered_map>

namespace mbu::os {
namespace {

// An O_PATH descriptor takes no calls that change the file; its name in /proc leads to exactly the same file, and no further.
class ProcPath {
 public:
  explicit ProcPath(int fd) { std::snprintf(text_.data(), text_.size(), "/proc/self/fd/%d", fd); }
  [[nodiscard]] const char* get() const noexcept { return text_.data(); }

 private:
  std::array<char, 40> text_;
};

void check(int result, Blame blame, std::string_view what) {
  if (result != 0) throw system_error(blame, what, errno);
}

std::array<timespec, 2> modified_only(FileTime time) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = static_cast<time_t>(time.seconds);
  times[1].tv_nsec = static_cast<long>(time.nanoseconds);
  return times;
}

// Name databases are slow (files, network); a tree has few owners and many files.
class KnownIds {
 public:
  template <class Lookup>
  std::optional<std::uint32_t> find(const std::string& name, Lookup lookup) {
    const std::scoped_lock lock(mutex_);
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    return ids_.emplace(name, lookup()).first->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::optional<std::uint32_t>> ids_;
};

}  // namespace

void set_owner(Node node, std::uint32_t uid, std::uint32_t gid, Blame blame) {
  const int result = node.path_only ? ::fchownat(node.fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
                                    : ::fchown(node.fd, uid, gid);
  check(result, blame, "set the owner");
}

void set_mode(Node node, std::uint32_t mode, Blame blame) {
  const int result = node.path_only ? ::chmod(ProcPath(node.fd).get(), mode) : ::fchmod(node.fd, mode);
  check(result, blame, "set the mode");
}

void set_modified(Node node, FileTime time, Blame blame) {
  const auto times = modified_only(time);
  int result = node.path_only ? ::utimensat(node.fd, "", times.data(), AT_EMPTY_PATH) : ::futimens(node.fd, times.data());
  // Kernels before 5.8 know no empty path here.
  if (result != 0 && node.path_only && (errno == EINVAL || errno == ENOENT)) {
    result = ::utimensat(AT_FDCWD, ProcPath(node.fd).get(), times.data(), 0);
  }
  check(result, blame, "set the time");
}

void set_attribute(Node node, const std::string& name, ByteView value, Blame blame) {
  const int result =
      node.path_only ? ::setxattr(ProcPath(node.fd).get(), name.c_str(), value.data(), value.size(), 0)
                     : ::fsetxattr(node.fd, name.c_str(), value.data(), value.size(), 0);
  check(result, blame, "set the attribute " + name);
}

void remove_attribute(Node node, const std::string& name, Blame blame) {
  const int result = node.path_only ? ::removexattr(ProcPath(node.fd).get(), name.c_str())
                                    : ::fremovexattr(node.fd, name.c_str());
  if (result != 0 && errno == ENODATA) return;
  check(result, blame, "remove the attribute " + name);
}

bool has_attribute(int fd, const char* name) noexcept { return ::fgetxattr(fd, name, nullptr, 0) >= 0; }

void set_file_flags(int fd, std::uint32_t flags, Blame blame) {
  // The ioctl's bits have the same values as statx's.
  static_assert(kImmutable == FS_IMMUTABLE_FL && kAppendOnly == FS_APPEND_FL && kNoDump == FS_NODUMP_FL);
  constexpr std::uint32_t kOurs = kImmutable | kAppendOnly | kNoDump;
  int current = 0;
  check(::ioctl(fd, FS_IOC_GETFLAGS, &current), blame, "read the flags");
  const auto wanted = (static_cast<std::uint32_t>(current) & ~kOurs) | (flags & kOurs);
  if (wanted == static_cast<std::uint32_t>(current)) return;
  const int value = static_cast<int>(wanted);
  check(::ioctl(fd, FS_IOC_SETFLAGS, &value), blame, "set the flags");
}

std::optional<std::uint32_t> user_id(const std::string& name) {
  static KnownIds known;
  return known.find(name, [&name]() -> std::optional<std::uint32_t> {
    std::array<char, 16384> space;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found) != 0 || found == nullptr) return {};
    return found->pw_uid;
  });
}

std::optional<std::uint32_t> group_id(const std::string& name) {
  static KnownIds known;
  return known.find(name, [&name]() -> std::optional<std::uint32_t> {
    std::array<char, 65536> space;
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, space.data(), space.size(), &found) != 0 || found == nullptr) return {};
    return found->gr_gid;
  });
}

}  // namespace mbu::os
