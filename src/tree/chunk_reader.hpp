// ChunkReader: a chunk's bytes by its id, verified. What pages, lists and files are read through.
//
// Keeps the plain bytes of the blocks used last, since pages of neighbours lie in one block. One thread at a time; the
// index may be shared.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>

#include "repo/chunk_index.hpp"
#include "tree/kept_pages.hpp"

namespace mbu::tree {

// What keeps an old page from being used, and costs no more than reading again what it tells of: damage, a loss, or keys that are not in hand.
[[nodiscard]] inline bool is_unreadable(const Error& error) noexcept {
  return error.code() == Code::corrupt || error.code() == Code::not_found || error.code() == Code::forbidden;
}

// What an error says of a chunk that no pack holds.
inline constexpr const char* kChunkNotHere = "a chunk of it is in no pack that is here";

// Chunks of the packs in one index; ChunkReader's own.
class IndexedChunks {
 public:
  IndexedChunks(const repo::Vault& vault, const repo::ChunkIndex& index, std::size_t cache_bytes)
      : vault_(&vault), index_(&index), fetcher_(vault), cache_bytes_(cache_bytes) {}

  // The chunk from whichever pack has it whole, valid until the next call. Nothing when the index does not know it; throws what is
  // wrong with the first of its packs when all are damaged.
  [[nodiscard]] std::optional<ByteView> find(const ChunkId& id, format::BlockRole role);

 private:
  using BlockKey = std::pair<std::uint32_t, std::uint32_t>;  // pack, block
  struct KeyHash {
    std::size_t operator()(const BlockKey& key) const noexcept {
      return std::size_t{key.first} * 0x9e3779b97f4a7c15U + key.second;
    }
  };
  struct Cached {
    ByteBuffer plain;
    std::list<BlockKey>::iterator age;
  };

  [[nodiscard]] ByteView read(const repo::Location& place, const ChunkId& id, format::BlockRole role);
  [[nodiscard]] ByteView block(const BlockKey& key);
  [[nodiscard]] ByteView fetch(const BlockKey& key);

  const repo::Vault* vault_;
  const repo::ChunkIndex* index_;
  repo::BlockFetcher fetcher_;
  std::size_t cache_bytes_;
  std::size_t cached_ = 0;
  std::unordered_map<BlockKey, Cached, KeyHash> blocks_;
  std::list<BlockKey> ages_;  // used last in front
  std::unordered_map<BlockKey, Error, KeyHash> damaged_;
};

class ChunkReader {
 public:
  // `cache_bytes`: how much plain data to keep.
  ChunkReader(const repo::Vault& vault, const repo::ChunkIndex& index, std::size_t cache_bytes = 16U << 20)
      : vault_(&vault), index_(&index), cache_bytes_(cache_bytes), indexed_(vault, index, cache_bytes) {}

  // The chunk's bytes, valid until the next call: by the index or, when that leads to nothing whole, by the packs' own tocs.
  // Code::corrupt when no pack holds it (kChunkNotHere) or all that do are damaged; the subject is then such a pack, or
  // `wanted_by` when there is none. Code::forbidden when it would take the owner's keys, which are not in hand.
  [[nodiscard]] ByteView read(const ChunkId& id, format::BlockRole role, const std::string& wanted_by);

  // Pages and inline chunks are looked for here first from now on. Null: nowhere. It must outlive this.
  void prefer(KeptPages* kept) noexcept { kept_ = kept; }

  // From now on told of each chunk that read() throws for, since no pack holds it whole.
  using OnLoss = std::function<void(const ChunkId& id, const Error& error)>;
  void on_loss(OnLoss tell) { on_loss_ = std::move(tell); }

 private:
  const repo::Vault* vault_;
  const repo::ChunkIndex* index_;
  std::size_t cache_bytes_;
  KeptPages* kept_ = nullptr;
  ByteBuffer kept_bytes_;  // of the chunk read last
  OnLoss on_loss_;
  IndexedChunks indexed_;
  std::unique_ptr<IndexedChunks> corrected_;  // once it was needed
};

}  // namespace mbu::tree
