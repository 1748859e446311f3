// Snapshot objects: read, list, publish (FORMAT.md §10). Any thread.
#pragma once

#include <functional>
#include <vector>

#include "format/snapshot.hpp"
#include "mbu/types/results.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

struct StoredSnapshot {
  ObjectName name;
  PublicKey writer;
  DomainId domain;
  format::Snapshot snapshot;
  std::string writer_name = {};  // as the owner admitted him
  bool own = true;               // by the writer whose keyring this is
};

// Signature and admission checked. Code::corrupt naming it, Code::not_found.
[[nodiscard]] StoredSnapshot read_snapshot(const Vault& vault, const ObjectName& name);

// The same whoever signed it: for what an owner may accept afterwards.
[[nodiscard]] StoredSnapshot open_snapshot(const Vault& vault, const ObjectName& name);

// Says who made it, by what the vault knows.
void attribute(const Vault& vault, StoredSnapshot& snapshot);

enum class Which { current, all };  // all: those that the owner has forgotten, too

using Damage = std::function<void(const CheckReport::Finding&)>;

// Oldest first, each opened and verified, on `threads` threads. Damaged ones are left out and told to `damage`, one at a time. Forgotten ones that
// are not asked for are not read.
[[nodiscard]] std::vector<StoredSnapshot> read_snapshots(const Vault& vault, Which which, const Damage& damage, unsigned threads = 1);
// The same for these objects.
[[nodiscard]] std::vector<StoredSnapshot> read_listed_snapshots(const Vault& vault, const std::vector<store::Listed>& listed, const Damage& damage,
                                                                unsigned threads);
void sort_by_time(std::vector<StoredSnapshot>& all);

// The name that the snapshot will have is known before anything of it is in the store.
struct SealedSnapshot {
  ObjectName name;
  ByteBuffer bytes;
};
[[nodiscard]] SealedSnapshot seal_snapshot(const Vault& vault, const format::Snapshot& snapshot);

// The packs that must have arrived for the snapshot to be complete: its own list joined with that of its bases. Nothing when a base
// of it is not there any more, so that the list is not known.
[[nodiscard]] std::optional<std::set<ObjectName>> packs_of(const std::vector<StoredSnapshot>& all,
                                                           const StoredSnapshot& snapshot);

}  // namespace mbu::repo
