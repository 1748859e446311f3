// Reading extended attributes (xattr(7)), POSIX ACLs among them. A file system without them has none. Any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "os/file.hpp"

namespace mbu::os {

using AttributePair = std::pair<std::string, ByteBuffer>;

// Sorted by name.
[[nodiscard]] std::vector<AttributePair> read_attributes(int fd, Blame blame);
// Of a name in a directory, a symlink's own and not its target's. `is_directory`: whether it may be opened to get at them.
[[nodiscard]] std::vector<AttributePair> read_attributes_at(int directory, const std::string& name, bool is_directory,
                                                            Blame blame);

}  // namespace mbu::os
