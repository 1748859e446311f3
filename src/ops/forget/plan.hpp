// Which snapshots a retention keeps. A plan is a value: applying it is forget.hpp's.
// Pure but for the time zone; any thread.
#pragma once

#include <set>

#include "mbu/types/options.hpp"
#include "mbu/types/results.hpp"

namespace mbu::ops {

// `all`: every snapshot that may be forgotten, in any order. `pinned`: those that are never. With `options.snapshots` empty; the newest of
// each group stays in any case, and so does the last that each instance made, whatever time it claims. `now_s`: since 1970; what claims to be
// made more than a day later stays, and no span is counted from it: a clock was wrong.
[[nodiscard]] ForgetPlan plan_forget(std::vector<SnapshotInfo> all, const std::set<ObjectName>& pinned, const ForgetOptions& options,
                                     std::int64_t now_s);

}  // namespace mbu::ops
