// Names in the target's directories: making what is no regular file, putting a finished thing into the place of an old one, and
// removing trees. Nothing follows a symlink. Private to restore/.
#pragma once

#include <functional>

#include "format/entry.hpp"
#include "os/status.hpp"

namespace mbu::ops {

// Renames over what `there` was. Directories cannot be replaced.
void replace_name(int directory, const std::string& from, const std::string& to, const os::FileStatus& there, os::Blame blame);

// Makes a symlink, FIFO, socket or device.
void make_special(int directory, const std::string& name, const format::Entry& entry, os::Blame blame);
// Whether what is there is the same special file, metadata apart.
[[nodiscard]] bool is_same_special(int directory, const format::Entry& entry, const os::FileStatus& there, os::Blame blame);

// Opens a directory that exists, also one that its owner has locked himself out of: it gets its final mode later anyway.
[[nodiscard]] os::Fd open_directory(int parent, const std::string& name, os::Blame blame);

// Removes a name and everything below it, or only counts what it would remove. `spares`: whether to leave what is at a path in the
// snapshot, with all below; directories that hold such things stay. The number of names gone.
struct Removal {
  bool dry_run = false;
  std::function<bool(const std::string& path, const os::FileStatus& there)> spares;
};
[[nodiscard]] std::uint64_t remove_tree(int directory, const std::string& name, const std::string& path, const Removal& removal,
                                        os::Blame blame);

// Takes away the flags that forbid changing or removing it; regular files and directories only.
void unlock(int directory, const std::string& name, const os::FileStatus& there, os::Blame blame);

}  // namespace mbu::ops
