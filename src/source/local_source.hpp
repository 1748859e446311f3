// LocalSource: directories and files of this machine, rooted at "/". Folders above the paths asked for hold only the way to them.
#pragma once

#include "source/selection.hpp"
#include "source/source.hpp"

namespace mbu::source {

// `paths`: absolute, without "." and "..". `selector` must outlive the source. Directories of mbu itself are told apart by
// device and inode, so that no other name of theirs (a bind mount, a symlink above) leads into them.
[[nodiscard]] std::unique_ptr<Source> open_local_source(const std::vector<std::string>& paths, const Selector& selector,
                                                        const std::vector<std::string>& own_directories);

}  // namespace mbu::source
