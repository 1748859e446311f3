// From chunks to packs: every worker of a run has a ChunkSink, and all sinks share a ChunkStore, which knows what is stored.
//
// Packs are published as they fill. What is left in half-full blocks at the end is put together by ChunkStore::finish(), so that a small
// run leaves one pack.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "ingest/chunk_sink.hpp"
#include "ingest/claims.hpp"
#include "repo/chunk_index.hpp"

namespace mbu::ingest {

struct StoreCounters {
  std::atomic<std::uint64_t> data_chunks{0};   // new, of files
  std::atomic<std::uint64_t> page_chunks{0};   // new pages
  std::atomic<std::uint64_t> plain_bytes{0};   // of new chunks
  std::atomic<std::uint64_t> stored_bytes{0};  // of published packs and indexes
};

class ChunkStore {
 public:
  struct Options {
    Compression compression;
    bool verify = true;
    bool discard = false;  // a dry run: everything is done but writing
    // New chunks after which an index object is written of them at once: until then they are held in memory.
    std::size_t chunks_in_memory = 1U << 16;
    // How much of small files each sink lets wait for others like them.
    std::size_t shelf_bytes = 16U << 20;
    // Packs without an index object that are worth writing one for at the end.
    std::size_t packs_for_index = 4;
    // Given all pages and inline chunks, stored before or not, those that a page names before it; from any thread.
    std::function<void(const ChunkId& id, ByteView bytes)> keep = {};
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

  // After finish(): the packs that this run published and that were not in the index yet, and whether an index object names them.
  struct NewPacks {
    std::vector<format::IndexedPack> packs;
    bool indexed = false;
    bool all = true;  // else there are more, which only loading the index again will find
  };
  [[nodiscard]] NewPacks take_new_packs();

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
  [[nodiscard]] const keys::DomainKeys& own_domain() const noexcept { return vault_->keyring().own_domain(); }
  // Whether the chunk must be stored by the caller.
  [[nodiscard]] bool wants(const ChunkId& id);
  // A place of it that new snapshots may refer to.
  [[nodiscard]] std::optional<repo::Location> find_usable(const ChunkId& id) const;
  [[nodiscard]] bool is_distrusted(std::uint32_t pack) const;
  // Whether the pack can be leant on: looked at once, before the run does so for the first time.
  [[nodiscard]] bool lean_on(std::uint32_t pack);
  void published(format::IndexedPack pack);
  void hand_over(const std::vector<format::IndexedPack>& packs);
  [[nodiscard]] bool write_last_index();

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
  bool indexed_ = false;                      // these have one by now
  std::atomic<bool> let_go_{false};           // packs that the index could not take in
  std::mutex hand_over_mutex_;
  std::vector<std::atomic<bool>> referred_;  // by number, packs that were here before
  std::vector<std::atomic<bool>> distrusted_;
  std::atomic<bool> met_losses_{false};
};

}  // namespace mbu::ingest
