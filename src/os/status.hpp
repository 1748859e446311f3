// What statx(2) says of a file, and the names of owners. Errors carry the Code that the caller blames. Any thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "mbu/types/results.hpp"
#include "os/file.hpp"

namespace mbu::os {

struct FileStatus {
  EntryType type = EntryType::regular;
  std::uint16_t mode = 0;  // the twelve permission bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;    // bytes
  std::uint64_t blocks = 0;  // of 512 bytes, allocated
  FileTime mtime, ctime;
  std::optional<FileTime> btime;
  std::uint64_t ino = 0, dev = 0;
  std::uint64_t rdev = 0;  // devices: major in the upper 32 bits, minor in the lower
  std::uint32_t nlink = 1;
  bool may_be_mounted = true;  // a mount's root; also where the kernel cannot tell. Overlays show devices of their layers without it.
  std::uint32_t flags = 0;  // those of statx's attribute bits that are kept: immutable, append-only, no-dump
  bool mount_root = false;  // a file system begins here; false on kernels before 5.8, which do not tell
};

// Whether what has this status lies in another file system than `device`, or in another mounting of the same.
[[nodiscard]] inline bool is_mounted_over(std::uint64_t device, const FileStatus& status) noexcept {
  return status.mount_root || status.dev != device;
}

enum class Links { keep, follow };

// Nothing when there is no such name any more. `directory`: a directory's descriptor or AT_FDCWD.
[[nodiscard]] std::optional<FileStatus> status_at(int directory, const char* name, Links links, Blame blame);
// Of an open descriptor.
[[nodiscard]] FileStatus status_of(int fd, Blame blame);

// The names behind ids, empty when the machine has none; looked up once and remembered.
[[nodiscard]] std::string user_name(std::uint32_t uid);
[[nodiscard]] std::string group_name(std::uint32_t gid);

// Where a symlink points.
[[nodiscard]] std::string read_link_at(int directory, const std::string& name, Blame blame);

}  // namespace mbu::os
