// FanotifyMarks: a fanotify group that is told of whole file systems, and where the directories are that its events name by handle.
//
// Keeps no descriptor of any file system, so that each may be unmounted as ever. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "os/file.hpp"

namespace mbu::ops {

class FanotifyMarks {
 public:
  // Code::failed, saying what to do, when this process may not or the kernel cannot.
  FanotifyMarks();

  [[nodiscard]] int descriptor() const noexcept { return fanotify_.get(); }

  // Marks the file system that is mounted at `mount_point`. 0, or the errno that tells why it cannot be.
  [[nodiscard]] int mark(const std::string& mount_point);
  // Marks nothing but the names in that directory, and modes and owners: those of its files, told by name, and its own and those of its subdirectories,
  // of which each is told as "." in itself. `mount_point`: where its file system is mounted.
  [[nodiscard]] int mark_names(const std::string& path, const std::string& mount_point);
  // Directories are looked for in what is marked from now on.
  void forget_mount_points();

  // Where the directory is that has this file system and handle, as in an event (fsid and file_handle, byte by byte): one path for each
  // mount that shows it, none when it is gone. Nothing: that cannot be found out. The answers are kept until forget_paths().
  [[nodiscard]] std::optional<std::vector<std::string>> paths_of(std::string_view fsid, std::string_view handle);
  // To be called when a directory has been moved.
  void forget_paths() { paths_.clear(); }

 private:
  // 0, or the errno.
  [[nodiscard]] int add(const std::string& path, const std::string& mount_point, unsigned flags, std::uint64_t events);
  [[nodiscard]] static std::optional<std::string> find(const std::string& mount_point, std::string_view fsid, std::string_view handle);

  os::Fd fanotify_;
  std::map<std::string, std::set<std::string>, std::less<>> mount_points_;  // by fsid
  std::unordered_map<std::string, std::vector<std::string>> paths_;         // by fsid and handle
};

}  // namespace mbu::ops
