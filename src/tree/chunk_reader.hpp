// ChunkReader: a chunk's bytes by its id, verified. What pages, lists and files are read through.
//
// Keeps the plain bytes of the blocks used last, since pages of neighbours lie in one block. One thread at a time; the
// index may be shared.
#pragma once

#include <list>
#include <unordered_map>

#include "repo/chunk_index.hpp"

namespace mbu::tree {

class ChunkReader {
 public:
  // `cache_bytes`: how much plain data to keep.
  ChunkReader(const repo::Vault& vault, const repo::ChunkIndex& index, std::size_t cache_bytes = 16U << 20);

  // The chunk's bytes, valid until the next call. Code::corrupt when no pack holds it ("is missing") or it is damaged; the
  // subject is then the pack, or `wanted_by` when there is none.
  [[nodiscard]] ByteView read(const ChunkId& id, format::BlockRole role, const std::string& wanted_by);

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

  const repo::Vault* vault_;
  const repo::ChunkIndex* index_;
  repo::BlockFetcher fetcher_;
  std::size_t cache_bytes_;
  std::size_t cached_ = 0;
  std::unordered_map<BlockKey, Cached, KeyHash> blocks_;
  std::list<BlockKey> ages_;  // used last in front
};

}  // namespace mbu::tree
