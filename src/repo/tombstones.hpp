// Tombstone sets: packs that are about to be deleted (FORMAT.md §11). Read from the first day, so that a repository in which
// a later version prunes stays safe to write to.
#pragma once

#include <functional>
#include <optional>
#include <set>

#include "mbu/types/results.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

struct Tombstones {
  std::set<ObjectName> packs;
  std::optional<ObjectName> newest;  // the last set of the chain: what a snapshot says it honours
};

// All valid sets in the store together. Damaged locks are told to `damage`.
[[nodiscard]] Tombstones read_tombstones(const Vault& vault,
                                         const std::function<void(const CheckReport::Finding&)>& damage);

}  // namespace mbu::repo
