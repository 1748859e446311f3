// A watcher: a feed, the loop that waits for quiet, and a series of snapshots put together.
#pragma once

#include "mbu/types/watch.hpp"
#include "repo/context.hpp"

namespace mbu::api {

// As Repository::watch(). `own_directories`: of mbu itself, neither packaged nor watched. `drop_owner`: called once nothing needs the
// owner's keys any more; empty: they stay.
void watch(const repo::Context& context, const WatchOptions& options, const std::vector<std::string>& own_directories,
           const std::function<void()>& drop_owner);

}  // namespace mbu::api
