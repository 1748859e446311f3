// Index objects (FORMAT.md §8): what a writer says of packs, published to save reading each pack's own toc. Any thread.
#pragma once

#include "format/index.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

// Publishes an index object for the packs; its name.
ObjectName write_index(const Vault& vault, std::vector<format::IndexedPack> packs);

struct ReadIndex {
  PublicKey signer;
  DomainId domain;
  format::Index index;
};
// Reads one. Code::corrupt naming it; Code::not_found.
[[nodiscard]] ReadIndex read_index(const Vault& vault, const ObjectName& name);

}  // namespace mbu::repo
