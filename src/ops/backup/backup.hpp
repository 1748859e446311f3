// backup: paths, or one stream, into a snapshot.
//
// Order of what becomes durable: packs, index, snapshot; a run that ends before its snapshot leaves whole packs that the next run
// finds and uses. Nothing is published that refers to a chunk which is not in a listed pack.
#pragma once

#include "mbu/types/options.hpp"
#include "repo/context.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

// `own_directories`: of mbu itself, never packaged. Throws when nothing was published; problems with single files are events.
[[nodiscard]] BackupSummary backup(const repo::Context& context, const BackupOptions& options,
                                   const std::vector<std::string>& own_directories);

}  // namespace mbu::ops
