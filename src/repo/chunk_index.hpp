// ChunkIndex: in which pack of one domain a chunk lies. What other domains hold is not in it: a snapshot resolves only through its own domain's
// packs, whatever somebody else says that his hold.
//
// Existence is what the store lists now: a pack that is not listed is not in here, whatever an index object or a cache says
// of it. Chunks are looked up by the first 16 bytes of their ids, which are all that an index object has of them
// (docs/decisions/0005). Index objects only save reading each pack's own toc, and location tables of the cache only save reading index
// objects: what lies in a table is not in memory. A table that turns out to be damaged is replaced by what it was made from.
//
// After load() safe from any thread; extend() is for one thread at a time, while others look up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cache/location_tables.hpp"
#include "mbu/types/results.hpp"
#include "repo/pack_reader.hpp"

namespace mbu::repo {

struct Location {
  std::uint32_t pack = 0;    // into ChunkIndex::pack()
  std::uint32_t block = 0;
  std::uint32_t offset = 0;  // in the block's plain bytes
  std::uint32_t length = 0;
  auto operator<=>(const Location&) const = default;
};

class ChunkIndex {
 public:
  static constexpr std::uint64_t kChunksForTable = 16'384;
  using Damage = std::function<void(const CheckReport::Finding&)>;

  struct LoadOptions {
    std::optional<DomainId> domain = {};           // nothing: the keyring's own
    const cache::LocationTables* tables = nullptr; // of that domain; null: none. They must outlive the index
    std::uint64_t chunks_for_table = kChunksForTable;
  };
  // Reads all index objects that no table stands for, and the tocs of packs that none of them names. What is damaged is left out
  // and told to `damage`. The vault must outlive the result. A new table is written when index
  // objects say so many chunks (or are so many themselves) that reading them again would take longer.
  [[nodiscard]] static ChunkIndex load(const Vault& vault, const Damage& damage,
                                       const LoadOptions& options);
  [[nodiscard]] static ChunkIndex load(const Vault& vault, const Damage& damage) { return load(vault, damage, LoadOptions()); }
  // One that knows nothing.
  ChunkIndex();
  ChunkIndex(ChunkIndex&&) noexcept;
  ChunkIndex& operator=(ChunkIndex&&) noexcept;
  ~ChunkIndex();

  // Where the chunk is; a copy outside tombstoned packs when there is one.
  [[nodiscard]] std::optional<Location> find(const ChunkId& id) const;
  // All places of the chunk, that of find() first.
  [[nodiscard]] std::vector<Location> copies(const ChunkId& id) const;
  // An index of those packs of which index objects say something else than their own tocs, by the tocs, which are right (FORMAT.md §8).
  // The first call reads the tocs of all packs that came from index objects: for readers that met damage or miss a chunk.
  // The reference is valid as long as this index.
  [[nodiscard]] const ChunkIndex& corrections() const;
  // Whether new snapshots may refer to the chunk: found, and not in a tombstoned pack.
  [[nodiscard]] bool may_refer_to(const ChunkId& id) const;

  // Numbers stay what they are as long as this index.
  [[nodiscard]] std::shared_ptr<const PackInfo> pack(std::uint32_t number) const;
  [[nodiscard]] ObjectName pack_name(std::uint32_t number) const;
  // To be deleted: may be read, must not be referred to.
  [[nodiscard]] bool is_tombstoned(std::uint32_t number) const;
  // Of a pack that was here when this was loaded.
  [[nodiscard]] std::optional<std::uint32_t> find_pack(const ObjectName& name) const;
  // One more than the largest number.
  [[nodiscard]] std::size_t pack_count() const noexcept;

  // Of these, those that no index object names.
  [[nodiscard]] const std::vector<ObjectName>& unindexed() const noexcept;

  // Takes in packs that this run has published, and an index object of them that was just written, without holding them in memory. False when
  // there is no table to hold them: nothing has changed.
  [[nodiscard]] bool extend(const ObjectName& index_object, std::vector<format::IndexedPack> packs);

  // Takes packs that were published since this was loaded into memory. `indexed`: an index object names them now, and all that
  // unindexed() names. Nobody looks up meanwhile.
  void add(const std::vector<format::IndexedPack>& packs, bool indexed);

 private:
  struct State;
  explicit ChunkIndex(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace mbu::repo
