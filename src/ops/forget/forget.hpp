// forget: the owner says that some snapshots count no longer. Nothing is deleted by it. One thread.
#pragma once

#include "ops/forget/plan.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

// What `options` say of these snapshots, which are not forgotten yet. Code::usage when they say nothing, Code::not_found.
[[nodiscard]] ForgetPlan plan_forget(const repo::Vault& vault, const std::vector<repo::StoredSnapshot>& all, const ForgetOptions& options);

// Publishes the statement; nothing when the plan forgets nothing. Durable when it returns. Code::forbidden without the owner's keys.
void apply(const ForgetPlan& plan, repo::Vault& vault);

}  // namespace mbu::ops
