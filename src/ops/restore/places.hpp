// Names in the target's directories: making what is no regular file, putting a finished thing into the place of an old one, and
// removing trees. Nothing follows a symlink. Private to restore/.
#pragma once

#include <functional>

#include "format/entry.hpp"
#include "os/status.hpp"

namespace mbu::ops {

// Directories within directories: what the stack holds for certain.
inline constexpr std::size_t kDeepest = 2500;
// What a message says of what lies deeper.
[[nodiscard]] std::string too_deep();

// Renames over what `there` was. Directories cannot be replaced.
void replace_name(int directory, const std::string& from, const std::string& to, const os::FileStatus& there, os::Blame blame);

// Makes a symlink, FIFO, socket or device.
void make_special(int directory, const std::string& name, const format::Entry& entry, os::Blame blame);
// Whether what is there is the same special file, metadata apart.
[[nodiscard]] bool is_same_special(int directory, const format::Entry& entry, const os::FileStatus& there, os::Blame blame);

// Opens a directory that exists. With `open_up` also one that its owner, the caller, has locked himself out of: it gets its final
// mode later anyway.
enum class LockedOut { leave, open_up };
[[nodiscard]] os::Fd open_directory(int parent, const std::string& name, os::Links links, LockedOut locked_out,
                                    os::Blame blame);

// Removes a name and everything below it, or only counts what it would remove. `path`: its path from the target, beginning with a
// slash. `spares`: whether to leave what is at such a path, with all below; directories that hold such things stay. So does whatever
// else is mounted: `mounted` is told each such directory's path. The number of names gone. Deeper than kDeepest nothing is
// counted, and removing ends with Code::source.
struct Removal {
  bool dry_run = false;
  std::function<bool(const std::string& path, const os::FileStatus& there)> spares;
  std::function<void(const std::string& path)> mounted;
};
[[nodiscard]] std::uint64_t remove_tree(int directory, const std::string& name, const std::string& path, const Removal& removal,
                                        os::Blame blame);

// Takes away the flags that forbid changing or removing it; regular files and directories only.
void unlock(int directory, const std::string& name, const os::FileStatus& there, os::Blame blame);

}  // namespace mbu::ops
