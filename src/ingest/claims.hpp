// Claims: which chunks this run is storing. The first worker to claim an id stores it; all others take it as stored, since
// the run publishes no snapshot unless every claim was kept. Any thread.
#pragma once

#include <array>
#include <mutex>
#include <unordered_set>

#include "mbu/types/ids.hpp"

namespace mbu::ingest {

class Claims {
 public:
  // True for the first caller with this id.
  [[nodiscard]] bool claim(const ChunkPrefix& id) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock(shard.mutex);
    return shard.ids.insert(id).second;
  }
  // Its pack is in the index now, where everybody looks first. One who looked there just before may store the chunk once more, which
  // costs its size and harms nothing.
  void release(const ChunkPrefix& id) {
    auto& shard = shard_of(id);
    const std::scoped_lock lock(shard.mutex);
    shard.ids.erase(id);
  }

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_set<ChunkPrefix, IdentifierHash> ids;
  };
  Shard& shard_of(const ChunkPrefix& id) noexcept { return shards_[id.bytes.back() % shards_.size()]; }

  std::array<Shard, 64> shards_;
};

}  // namespace mbu::ingest
