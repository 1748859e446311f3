#include "ingest/chunk_store.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "repo/index_object.hpp"

namespace mbu::ingest {
namespace {

// Up to this much of everything goes into one pack together.
constexpr std::size_t kSmallRun = 4U << 20;

}  // namespace

ChunkStore::ChunkStore(const repo::Vault& vault, repo::ChunkIndex& index, Options options)
    : vault_(&vault), index_(&index), options_(options), referred_(index.pack_count()), distrusted_(index.pack_count()) {}

ChunkStore::~ChunkStore() = default;

ChunkSink& ChunkStore::make_sink() {
  sinks_.push_back(std::make_unique<ChunkSink>(*this, options_.compression, options_.shelf_bytes));
  return *sinks_.back();
}

bool ChunkStore::is_distrusted(std::uint32_t pack) const {
  return pack < distrusted_.size() && distrusted_[pack].load(std::memory_order_relaxed);
}

std::optional<repo::Location> ChunkStore::find_usable(const ChunkId& id) const {
  const auto usable = [&](const repo::Location& place) {
    return !index_->is_tombstoned(place.pack) && !is_distrusted(place.pack);
  };
  auto place = index_->find(id);
  if (!place || usable(*place)) return place;
  if (!met_losses_) return std::nullopt;  // then find() had the best there is
  const auto all = index_->copies(id);
  const auto other = std::ranges::find_if(all, usable);
  return other == all.end() ? std::nullopt : std::optional(*other);
}

bool ChunkStore::distrust(const ChunkId& id) {
  met_losses_ = true;
  bool any = false, first = false;
  for (const auto* index : {static_cast<const repo::ChunkIndex*>(index_), &index_->corrections()}) {
    for (const auto& place : index->copies(id)) {
      const auto number = index_->find_pack(index->pack_name(place.pack));
      if (!number) continue;
      any = true;
      first = !distrusted_[*number].exchange(true) || first;
    }
  }
  return first || !any;
}

bool ChunkStore::lean_on(std::uint32_t pack) {
  if (pack >= referred_.size() || referred_[pack].load(std::memory_order_relaxed)) return true;
  const auto name = index_->pack_name(pack);
  const auto known = index_->pack(pack);
  std::uint64_t size = 0;
  try {
    size = vault_->store().size(store::Folder::packs, name);
  } catch (const Error& error) {
    if (error.code() != Code::not_found && error.code() != Code::corrupt) throw;
  }
  if (known && size == known->size) {
    referred_[pack].store(true, std::memory_order_relaxed);
    return true;
  }
  met_losses_ = true;
  if (!distrusted_[pack].exchange(true) && options_.damage) {
    options_.damage({store::object_path(store::Folder::packs, name), "is not as long as it was when it was written"});
  }
  return false;
}

bool ChunkStore::wants(const ChunkId& id) {
  while (const auto known = find_usable(id)) {
    if (lean_on(known->pack)) return false;
  }
  return claims_.claim(prefix_of(id));
}

void ChunkStore::published(format::IndexedPack pack) {
  counters_.stored_bytes += pack.size;
  std::vector<format::IndexedPack> packs;
  {
    const std::scoped_lock lock(mutex_);
    published_.push_back(pack.name);
    waiting_chunks_ += pack.toc.chunks.size();
    waiting_.push_back(std::move(pack));
    if (waiting_chunks_ < options_.chunks_in_memory) return;
    packs = std::exchange(waiting_, {});
    waiting_chunks_ = 0;
  }
  hand_over(packs);
}

// So that memory does not grow with what a run stores: the index knows these packs from now on.
void ChunkStore::hand_over(const std::vector<format::IndexedPack>& packs) {
  const std::scoped_lock lock(hand_over_mutex_);
  const auto name = repo::write_index(*vault_, packs);
  counters_.stored_bytes += vault_->store().size(store::Folder::indexes, name);
  if (!index_->extend(name, packs)) {
    let_go_ = true;
    return;
  }
  for (const auto& pack : packs) {
    for (const auto& chunk : pack.toc.chunks) claims_.release(chunk.id);
  }
}

void ChunkStore::finish() {
  if (sinks_.empty()) return;
  auto& first = *sinks_.front();
  std::size_t waiting = 0;
  bool any_pack = false;
  for (const auto& sink : sinks_) {
    waiting += sink->waiting_bytes();
    for (const auto& pack : sink->packs_) any_pack = any_pack || pack.has_value();
  }
  const bool together = !any_pack && waiting <= kSmallRun;
  if (!together) {
    const auto count = sinks_.size();
    parallel_for(static_cast<unsigned>(count), count, [&](unsigned, std::size_t i) { sinks_[i]->seal_most(); });
  }
  for (std::size_t i = 1; i < sinks_.size(); ++i) first.take_over(*sinks_[i]);
  first.clear_shelf();
  for (auto& block : first.blocks_) {
    if (!block.chunks.empty()) first.seal(block, together ? ChunkSink::data_pack : ChunkSink::pack_kind(block.role));
  }
  for (const auto& sink : sinks_) {
    sink->close(ChunkSink::data_pack);
    sink->close(ChunkSink::listing_pack);
  }
  indexed_ = write_last_index();
}

bool ChunkStore::write_last_index() {
  const auto& unindexed = index_->unindexed();
  if (options_.discard || unindexed.size() + waiting_.size() < options_.packs_for_index) return false;
  auto packs = waiting_;
  for (const auto& name : unindexed) {
    try {
      packs.push_back(indexed(repo::read_toc(*vault_, name)));
    } catch (const Error& error) {
      // Gone or damaged since the index was loaded: it speaks for itself at the next loading, and is told then.
      if (error.code() != Code::corrupt && error.code() != Code::not_found && error.code() != Code::forbidden) throw;
    }
  }
  const auto name = repo::write_index(*vault_, std::move(packs));
  counters_.stored_bytes += vault_->store().size(store::Folder::indexes, name);
  return true;
}

ChunkStore::NewPacks ChunkStore::take_new_packs() { return {std::exchange(waiting_, {}), indexed_, !let_go_}; }

std::vector<ObjectName> ChunkStore::packs_found() const {
  std::vector<ObjectName> found;
  for (std::uint32_t i = 0; i < referred_.size(); ++i) {
    if (referred_[i].load(std::memory_order_relaxed) && !is_distrusted(i)) found.push_back(index_->pack_name(i));
  }
  return found;
}

std::set<ObjectName> ChunkStore::packs_used() const {
  std::set<ObjectName> used(published_.begin(), published_.end());
  const auto found = packs_found();
  used.insert(found.begin(), found.end());
  return used;
}

}  // namespace mbu::ingest
