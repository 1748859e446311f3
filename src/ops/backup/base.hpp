// Which earlier snapshot a new one is compared with.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/chunk_index.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

struct Base {
  const repo::StoredSnapshot* snapshot = nullptr;  // into the list it was chosen from; null: none
  // Its pages may be taken over: every pack it needs is here and stays. Else the set is empty and all is read again.
  bool reusable = false;
  std::set<ObjectName> packs;
};

// Whether all these packs are in the store, and to stay.
[[nodiscard]] bool are_here(const std::set<ObjectName>& packs, const repo::ChunkIndex& index);

// This snapshot of them as the base.
[[nodiscard]] Base base_of(const std::vector<repo::StoredSnapshot>& all, const repo::StoredSnapshot& snapshot, const repo::ChunkIndex& index);

// The newest snapshot that this writer made of this host and these paths; failing that, of this host. `all`: oldest first.
[[nodiscard]] Base choose_base(const std::vector<repo::StoredSnapshot>& all, const PublicKey& writer, const std::string& host,
                               const std::vector<std::string>& paths, const repo::ChunkIndex& index);

}  // namespace mbu::ops
