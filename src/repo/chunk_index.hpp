// ChunkIndex: in which pack a chunk lies.
//
// Existence is what the store lists now: a pack that is not listed is not in here, whatever an index object or a cache says
// of it. Index objects only save reading each pack's own toc.
//
// Built by load(), then read by any thread; add() is for one thread while no other reads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

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
  // Reads all index objects, and the tocs of packs that none of them names. What is damaged is left out and told to `damage`.
  // The vault must outlive the result.
  [[nodiscard]] static ChunkIndex load(const Vault& vault,
                                       const std::function<void(const CheckReport::Finding&)>& damage);

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

  [[nodiscard]] const PackInfo& pack(std::uint32_t number) const { return packs_[number]; }
  [[nodiscard]] std::size_t pack_count() const noexcept { return packs_.size(); }
  [[nodiscard]] std::size_t chunk_count() const noexcept { return chunks_.size(); }
  [[nodiscard]] std::optional<std::uint32_t> find_pack(const ObjectName& name) const;

  // Packs that no index object names, and how many index objects there are.
  [[nodiscard]] const std::vector<ObjectName>& unindexed() const noexcept { return unindexed_; }
  [[nodiscard]] std::size_t index_object_count() const noexcept { return index_objects_; }

  void add(const format::IndexedPack& pack, bool tombstoned);
  // To be called after the last add(): makes the chunks findable.
  void sort();

 private:
  struct Chunk {
    ChunkId id;
    Location location;
    auto operator<=>(const Chunk&) const = default;
  };
  struct Corrections {
    std::once_flag once;
    std::unique_ptr<const ChunkIndex> index;
  };
  // The chunks of a pack that has this number.
  [[nodiscard]] static std::vector<Chunk> chunks_of(const format::IndexedPack& pack, std::uint32_t number);
  // Whether that pack is known here as its own toc has it.
  [[nodiscard]] bool agrees(std::uint32_t number, const format::IndexedPack& own) const;

  const Vault* vault_ = nullptr;  // nothing: not loaded
  std::vector<PackInfo> packs_;   // those that index objects name in front
  std::uint32_t indexed_ = 0;     // how many these are
  std::vector<Chunk> chunks_;     // sorted by id
  std::vector<std::uint32_t> packs_by_name_;
  std::vector<ObjectName> unindexed_;
  std::size_t index_objects_ = 0;
  std::unique_ptr<Corrections> corrections_ = std::make_unique<Corrections>();
};

// Publishes an index object for the packs; its name.
ObjectName write_index(const Vault& vault, std::vector<format::IndexedPack> packs);
// Reads one. Code::corrupt naming it.
struct ReadIndex {
  PublicKey signer;
  format::Index index;
};
[[nodiscard]] ReadIndex read_index(const Vault& vault, const ObjectName& name);

}  // namespace mbu::repo
