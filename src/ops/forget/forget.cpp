#include "ops/forget/forget.hpp"

#include "base/clock.hpp"
#include "repo/snapshot_query.hpp"

namespace mbu::ops {
namespace {

// Those that were named, one group of them all.
ForgetPlan plan_of_named(const repo::Vault& vault, const std::vector<repo::StoredSnapshot>& all, const ForgetOptions& options) {
  ForgetPlan plan;
  auto& group = plan.groups.emplace_back();
  std::set<ObjectName> named;
  for (const auto& text : options.snapshots) {
    const auto& found = repo::find_snapshot(all, text, options.filter);
    if (vault.constitution().pins.contains(found.name)) {
      throw Error(Code::failed, "is pinned and stays", store::object_path(store::Folder::snapshots, found.name));
    }
    if (named.insert(found.name).second) group.forget.push_back(repo::describe(found));
  }
  return plan;
}

}  // namespace

ForgetPlan plan_forget(const repo::Vault& vault, const std::vector<repo::StoredSnapshot>& all, const ForgetOptions& options) {
  if (!options.snapshots.empty()) return plan_of_named(vault, all, options);
  if (options.retention.empty()) {
    throw Error(Code::usage, "nothing says which snapshots to keep", {}, "give --keep-last, --keep-daily or another --keep flag, or snapshots");
  }
  std::vector<SnapshotInfo> infos;
  for (const auto& stored : all) {
    if (repo::passes(stored, options.filter)) infos.push_back(repo::describe(stored));
  }
  return plan_forget(std::move(infos), vault.constitution().pins, options, system_clock().wall().seconds);
}

void apply(const ForgetPlan& plan, repo::Vault& vault) {
  format::Statement statement;
  for (const auto& group : plan.groups) {
    for (const auto& snapshot : group.forget) statement.forgets.push_back(snapshot.name);
  }
  if (!statement.forgets.empty()) vault.publish(std::move(statement));
}

}  // namespace mbu::ops
