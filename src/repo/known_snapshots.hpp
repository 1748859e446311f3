// Snapshots that were opened and verified once stay open to this machine: the cache keeps copies of them, encrypted under the credential, since
// each costs a key agreement and a signature to open. A snapshot counts only while the store lists its object and its writer is admitted; what
// becomes of the object's bytes, `check` sees, which asks no cache.
#pragma once

#include "repo/context.hpp"
#include "repo/snapshots.hpp"

namespace mbu::repo {

// Not asked by two threads at once.
class KnownSnapshots {
 public:
  explicit KnownSnapshots(cache::Cache& cache);
  void put(const StoredSnapshot& snapshot);
  [[nodiscard]] std::optional<StoredSnapshot> find(const ObjectName& name);
  // Those that the store does not list any more go.
  void keep_only(const std::vector<store::Listed>& listed);
  void write_back() { pages_->write_back(); }

 private:
  std::unique_ptr<cache::Pages> pages_;
};

// As read_snapshots() of the vault, by the context's cache, threads and events.
[[nodiscard]] std::vector<StoredSnapshot> read_snapshots(const Context& context, Which which);

}  // namespace mbu::repo
