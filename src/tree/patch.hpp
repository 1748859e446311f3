// A directory with other pages for some of its subdirectories, made from its old pages: what a watcher rewrites above a change, at the
// cost of the pages that hold these names and the inner ones above them. One thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tree/reader.hpp"

namespace mbu::tree {

// What a subdirectory is now.
struct DirectoryPatch {
  ChunkId page;
  std::uint64_t files = 0, directories = 0, bytes = 0;  // of its subtree
};

// The root page of the new listing; all else is as it was, entries and where the listing is cut. `put` stores an encoded page. Names
// that are not among the old directories are Code::corrupt, as damage of the pages is.
[[nodiscard]] ChunkId patch_directories(TreeReader& reader, const ChunkId& directory, const std::string& path,
                                        const std::map<std::string, DirectoryPatch>& patches, const keys::DomainKeys& domain,
                                        const std::function<ChunkId(ByteView)>& put);

}  // namespace mbu::tree
