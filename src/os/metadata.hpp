// Setting what a file carries beside its bytes: owner, mode, attributes, times, flags; and making names of every type. Nothing
// here follows a symlink. What the kernel refuses is an Error with its errno; who treats which refusal as normal is the
// caller's business. Any thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "os/file.hpp"

namespace mbu::os {

// A file in hand. `path_only`: opened with O_PATH, which any type can be, a symlink itself too.
struct Node {
  int fd = -1;
  bool path_only = false;
};

void set_owner(Node node, std::uint32_t uid, std::uint32_t gid, Blame blame);
// The twelve permission bits. Not for symlinks, which have none.
void set_mode(Node node, std::uint32_t mode, Blame blame);
void set_modified(Node node, FileTime time, Blame blame);
void set_attribute(Node node, const std::string& name, ByteView value, Blame blame);
// One that is not there is removed already.
void remove_attribute(Node node, const std::string& name, Blame blame);
[[nodiscard]] bool has_attribute(int fd, const char* name) noexcept;

// statx's bits for immutable, append-only and no-dump: exactly these become set. Regular files and directories only.
inline constexpr std::uint32_t kImmutable = 0x10, kAppendOnly = 0x20, kNoDump = 0x40;
void set_file_flags(int fd, std::uint32_t flags, Blame blame);

// The id behind a name, nothing when the machine has none; looked up once and remembered.
[[nodiscard]] std::optional<std::uint32_t> user_id(const std::string& name);
[[nodiscard]] std::optional<std::uint32_t> group_id(const std::string& name);

}  // namespace mbu::os
