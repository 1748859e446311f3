// A watcher: a feed, the loop that waits for quiet, and a series of snapshots put together.
#pragma once

#include "mbu/types/watch.hpp"
#include "repo/context.hpp"

namespace mbu::api {

// As Repository::watch(). `vault`: the context's, for what changes it. `own_directories`: of mbu itself, neither packaged nor watched.
void watch(const repo::Context& context, repo::Vault& vault, const WatchOptions& options, const std::vector<std::string>& own_directories);

}  // namespace mbu::api
