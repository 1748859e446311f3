// restore: a snapshot's tree, or a part of it, into a directory of this machine.
#pragma once

#include "repo/chunk_index.hpp"
#include "repo/context.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

// What is hit by damage, kept or could not be written is told as problems and the rest restored. Code::not_found when the
// subpath is not in the snapshot; Code::store, Code::failed (the target is full) and Code::interrupted end it with what is
// done so far in place and no file half-written under its final name. `own_directories`: of mbu itself, never deleted.
RestoreSummary restore(const repo::Context& context, const repo::ChunkIndex& index, const repo::StoredSnapshot& snapshot,
                       const RestoreOptions& options, const std::vector<std::string>& own_directories);

}  // namespace mbu::ops
