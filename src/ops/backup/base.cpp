#include "ops/backup/base.hpp"

#include <algorithm>

namespace mbu::ops {

Base choose_base(const std::vector<repo::StoredSnapshot>& all, const PublicKey& writer, const std::string& host,
                 const std::vector<std::string>& paths, const repo::ChunkIndex& index) {
  Base base;
  for (const auto& candidate : all) {
    if (candidate.writer != writer || candidate.snapshot.host != host) continue;
    const bool fits = candidate.snapshot.paths == paths;
    if (fits || base.snapshot == nullptr || base.snapshot->snapshot.paths != paths) base.snapshot = &candidate;
  }
  if (base.snapshot == nullptr) return base;
  auto packs = repo::packs_of(all, *base.snapshot);
  if (!packs) return base;
  base.reusable = std::ranges::all_of(*packs, [&](const ObjectName& name) {
    const auto number = index.find_pack(name);
    return number && !index.is_tombstoned(*number);
  });
  if (base.reusable) base.packs = std::move(*packs);
  return base;
}

}  // namespace mbu::ops
