#include "os/status.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/stat.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <unordered_map>

namespace mbu::os {
namespace {

constexpr std::uint64_t kKeptFlags = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;

EntryType type_of(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return EntryType::directory;
    case S_IFLNK: return EntryType::symlink;
    case S_IFIFO: return EntryType::fifo;
    case S_IFSOCK: return EntryType::socket;
    case S_IFCHR: return EntryType::character_device;
    case S_IFBLK: return EntryType::block_device;
    default: return EntryType::regular;
  }
}

FileTime time_of(const struct statx_timestamp& t) { return {t.tv_sec, t.tv_nsec}; }

FileStatus convert(const struct statx& from) {
  FileStatus s;
  s.type = type_of(from.stx_mode);
  s.mode = static_cast<std::uint16_t>(from.stx_mode & 07777);
  s.uid = from.stx_uid;
  s.gid = from.stx_gid;
  s.size = from.stx_size;
  s.blocks = from.stx_blocks;
  s.mtime = time_of(from.stx_mtime);
  s.ctime = time_of(from.stx_ctime);
  if ((from.stx_mask & STATX_BTIME) != 0) s.btime = time_of(from.stx_btime);
  s.ino = from.stx_ino;
  s.dev = std::uint64_t{from.stx_dev_major} << 32 | from.stx_dev_minor;
  if (s.type == EntryType::character_device || s.type == EntryType::block_device) {
    s.rdev = std::uint64_t{from.stx_rdev_major} << 32 | from.stx_rdev_minor;
  }
  s.nlink = from.stx_nlink;
  s.may_be_mounted = (from.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
                     (from.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  s.flags = static_cast<std::uint32_t>(from.stx_attributes & kKeptFlags);
  s.mount_root = (from.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return s;
}

constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_BTIME;

// A name database behind a thread's own memory: a tree has few owners and many files.
template <class Lookup>
std::string remembered(std::uint32_t id, std::unordered_map<std::uint32_t, std::string>& names, Lookup lookup) {
  const auto found = names.find(id);
  if (found != names.end()) return found->second;
  return names.emplace(id, lookup()).first->second;
}

}  // namespace

std::optional<FileStatus> status_at(int directory, const char* name, Links links, Blame blame) {
  struct statx status {};
  const int flags = links == Links::keep ? AT_SYMLINK_NOFOLLOW : 0;
  if (::statx(directory, name, flags | AT_NO_AUTOMOUNT, kWanted, &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error(blame, "look at", errno);
  }
  return convert(status);
}

FileStatus status_of(int fd, Blame blame) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, kWanted, &status) != 0) throw system_error(blame, "look at", errno);
  return convert(status);
}

std::string user_name(std::uint32_t uid) {
  thread_local std::unordered_map<std::uint32_t, std::string> names;
  return remembered(uid, names, [uid] {
    std::array<char, 16384> space;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, space.data(), space.size(), &found) != 0 || found == nullptr) return std::string();
    return std::string(found->pw_name);
  });
}

std::string group_name(std::uint32_t gid) {
  thread_local std::unordered_map<std::uint32_t, std::string> names;
  return remembered(gid, names, [gid] {
    std::array<char, 65536> space;
    group entry{};
    group* found = nullptr;
    if (::getgrgid_r(gid, &entry, space.data(), space.size(), &found) != 0 || found == nullptr) return std::string();
    return std::string(found->gr_name);
  });
}

std::string read_link_at(int directory, const std::string& name, Blame blame) {
  std::string target(256, '\0');
  for (;;) {
    const auto n = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (n < 0) throw system_error(blame, "read the symlink", errno);
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

}  // namespace mbu::os
