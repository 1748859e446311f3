// The part of check that follows references: from snapshots through pages and lists to chunks.
#pragma once

#include <functional>

#include "repo/context.hpp"

namespace mbu::ops {

// Reads all snapshots and everything they reach but the data itself; each shared page once. `snapshots` becomes their number.
void check_trees(const repo::Context& context, std::uint64_t& snapshots,
                 const std::function<void(const CheckReport::Finding&)>& damage);

}  // namespace mbu::ops
