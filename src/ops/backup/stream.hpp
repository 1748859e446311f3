// One stream as the only file of a tree: `backup --stdin`.
#pragma once

#include "ingest/packager.hpp"

namespace mbu::ops {

// `path`: absolute, the file's path in the snapshot. The stream's bytes go to `store`, and the pages of the directories that lead
// to it.
[[nodiscard]] ingest::PackageResult package_stream(const repo::Context& context, ingest::ChunkStore& store,
                                                   const std::string& path,
                                                   const std::function<std::size_t(MutableBytes)>& read);

}  // namespace mbu::ops
