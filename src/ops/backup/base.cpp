#include "ops/backup/base.hpp"

#include <algorithm>

namespace mbu::ops {

bool are_here(const std::set<ObjectName>& packs, const repo::ChunkIndex& index) {
  return std::ranges::all_of(packs, [&](const ObjectName& name) {
    const auto number = index.find_pack(name);
    return number && !index.is_tombstoned(*number);
  });
}

Base base_of(const std::vector<repo::StoredSnapshot>& all, const repo::StoredSnapshot& snapshot, const repo::ChunkIndex& index) {
  Base base;
  base.snapshot = &snapshot;
  auto packs = repo::packs_of(all, snapshot);
  if (!packs) return base;
  base.reusable = are_here(*packs, index);
  if (base.reusable) base.packs = std::move(*packs);
  return base;
}

Base choose_base(const std::vector<repo::StoredSnapshot>& all, const PublicKey& writer, const std::string& host,
                 const std::vector<std::string>& paths, const repo::ChunkIndex& index) {
  const repo::StoredSnapshot* newest = nullptr;
  for (const auto& candidate : all) {
    if (candidate.writer != writer || candidate.snapshot.host != host) continue;
    const bool fits = candidate.snapshot.paths == paths;
    if (fits || newest == nullptr || newest->snapshot.paths != paths) newest = &candidate;
  }
  return newest == nullptr ? Base{} : base_of(all, *newest, index);
}

}  // namespace mbu::ops
