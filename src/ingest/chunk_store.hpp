// From chunks to packs: every worker of a run has a ChunkSink, and all sinks share a ChunkStore.
//
// A sink gathers chunks of one role into a block, and seals the block into the pack it is writing, so that a worker carries
// data from a file to a finished block without waiting for others. Packs are published as they fill. What is left in half-full blocks at
// the end is put together by ChunkStore::finish(), so that a small run leaves one pack.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "ingest/claims.hpp"
#include "repo/chunk_index.hpp"
#include "repo/pack_writer.hpp"

namespace mbu::ingest {

struct StoreCounters {
  std::atomic<std::uint64_t> data_chunks{0};   // new, of files
  std::atomic<std::uint64_t> page_chunks{0};   // new pages
  std::atomic<std::uint64_t> plain_bytes{0};   // of new chunks
  std::atomic<std::uint64_t> stored_bytes{0};  // of published packs and indexes
};

class ChunkSink;

class ChunkStore {
 public:
  struct Options {
    Compression compression;
    bool verify = true;
    bool discard = false;  // a dry run: everything is done but writing
    // New chunks after which an index object is written of them at once: until then they are held in memory.
    std::size_t chunks_in_memory = 1U << 16;
    // Told of damage; from any thread.
    std::function<void(const CheckReport::Finding&)> damage = {};
  };
  // `vault` and `index` must outlive it. A long run extends the index by its own packs.
  ChunkStore(const repo::Vault& vault, repo::ChunkIndex& index, Options options);
  ~ChunkStore();

  // A new worker's sink, which lives as long as this.
  [[nodiscard]] ChunkSink& make_sink();

  // Seals and publishes what all sinks hold, then an index object when enough packs lack one. One thread, once, when no
  // sink is used any more.
  void finish();

  // The chunk was read and is in no pack whole. From now on the packs that should hold it are taken as holding nothing, so that all that
  // is in them is stored again. True when a pack has lost its trust by this, or there was none. Any thread.
  bool distrust(const ChunkId& id);
  // Whether distrust() was called.
  [[nodiscard]] bool met_losses() const noexcept { return met_losses_; }

  // Packs this run published, and those that hold chunks it found stored already.
  [[nodiscard]] std::set<ObjectName> packs_used() const;
  // Of these, packs that others published.
  [[nodiscard]] std::vector<ObjectName> packs_found() const;
  [[nodiscard]] const StoreCounters& counters() const noexcept { return counters_; }

 private:
  friend class ChunkSink;
  // Whether the chunk must be stored by the caller.
  [[nodiscard]] bool wants(const ChunkId& id);
  // A place of it that new snapshots may refer to.
  [[nodiscard]] std::optional<repo::Location> find_usable(const ChunkId& id) const;
  [[nodiscard]] bool is_distrusted(std::uint32_t pack) const;
  // Whether the pack can be leant on: looked at once, before the run does so for the first time.
  [[nodiscard]] bool lean_on(std::uint32_t pack);
  void published(format::IndexedPack pack);
  void hand_over(const std::vector<format::IndexedPack>& packs);
  void write_last_index();

  const repo::Vault* vault_;
  repo::ChunkIndex* index_;
  Options options_;
  Claims claims_;
  StoreCounters counters_;
  std::vector<std::unique_ptr<ChunkSink>> sinks_;
  std::mutex mutex_;  // guards what follows
  std::vector<ObjectName> published_;
  std::vector<format::IndexedPack> waiting_;  // of these, packs without an index object
  std::size_t waiting_chunks_ = 0;
  std::mutex hand_over_mutex_;
  std::vector<std::atomic<bool>> referred_;  // by number, packs that were here before
  std::vector<std::atomic<bool>> distrusted_;
  std::atomic<bool> met_losses_{false};
};

// One thread at a time.
class ChunkSink {
 public:
  ChunkSink(ChunkStore& store, Compression compression);

  // Stores the chunk unless it is known; its id.
  ChunkId put(format::BlockRole role, ByteView bytes);

 private:
  friend class ChunkStore;
  // A block being filled.
  struct Block {
    format::BlockRole role;
    std::size_t target;  // plain bytes
    ByteBuffer plain;
    std::vector<format::ChunkRef> chunks;
  };
  // Chunks of files lie in other packs than what listing reads.
  enum PackKind { data_pack, listing_pack, pack_kinds };

  static PackKind pack_kind(format::BlockRole role);
  void append(Block& block, const ChunkId& id, ByteView bytes);
  void seal(Block& block, PackKind into);
  void close(PackKind kind);
  void take_over(ChunkSink& other);

  ChunkStore* store_;
  repo::BlockScratch scratch_;
  std::vector<Block> blocks_;
  std::optional<repo::PackWriter> packs_[pack_kinds];
};

}  // namespace mbu::ingest
