#include "tree/chunk_reader.hpp"

namespace mbu::tree {
namespace {

// Damage of one pack, which another may make up for.
bool is_damage(const Error& error) noexcept { return error.code() == Code::corrupt || error.code() == Code::not_found; }

}  // namespace

ByteView ChunkReader::read(const ChunkId& id, format::BlockRole role, const std::string& wanted_by) {
  if (kept_ != nullptr && (role == format::BlockRole::page || role == format::BlockRole::inlined)) {
    if (auto kept = kept_->find(id)) return kept_bytes_ = std::move(*kept);
  }
  std::optional<Error> damage;
  const auto find_in = [&](IndexedChunks& chunks) -> std::optional<ByteView> {
    try {
      return chunks.find(id, role);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      if (!damage) damage = error;
      return std::nullopt;
    }
  };
  if (const auto bytes = find_in(indexed_)) return *bytes;
  if (!corrected_) corrected_ = std::make_unique<IndexedChunks>(*vault_, index_->corrections(), cache_bytes_);
  if (const auto bytes = find_in(*corrected_)) return *bytes;
  if (!damage) damage = Error(Code::corrupt, kChunkNotHere, wanted_by);
  if (on_loss_) on_loss_(id, *damage);
  throw *damage;
}

std::optional<ByteView> IndexedChunks::find(const ChunkId& id, format::BlockRole role) {
  std::optional<Error> damage;
  for (const auto& place : index_->copies(id)) {
    try {
      return read(place, id, role);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      if (!damage) damage = error;
    }
  }
  if (damage) throw *damage;
  return std::nullopt;
}

ByteView IndexedChunks::read(const repo::Location& place, const ChunkId& id, format::BlockRole role) {
  const auto bytes = block({place.pack, place.block}).subspan(place.offset, place.length);
  const auto pack = index_->pack(place.pack);
  if (!repo::is_chunk(*vault_, *pack, role, bytes, id)) {
    throw Error(Code::corrupt, "a chunk in it does not hash to its id", store::object_path(store::Folder::packs, pack->name));
  }
  return bytes;
}

ByteView IndexedChunks::block(const BlockKey& key) {
  const auto found = blocks_.find(key);
  if (found == blocks_.end()) return fetch(key);
  ages_.splice(ages_.begin(), ages_, found->second.age);
  return found->second.plain;
}

// What is damaged is so for all chunks in it, and read only once.
ByteView IndexedChunks::fetch(const BlockKey& key) {
  if (const auto known = damaged_.find(key); known != damaged_.end()) throw known->second;
  ByteView plain;
  try {
    plain = fetcher_.fetch(*index_->pack(key.first), key.second);
  } catch (const Error& error) {
    if (is_damage(error)) damaged_.emplace(key, error);
    throw;
  }
  while (!ages_.empty() && cached_ + plain.size() > cache_bytes_) {
    const auto oldest = blocks_.find(ages_.back());
    cached_ -= oldest->second.plain.size();
    blocks_.erase(oldest);
    ages_.pop_back();
  }
  ages_.push_front(key);
  cached_ += plain.size();
  return blocks_.emplace(key, Cached{ByteBuffer(plain.begin(), plain.end()), ages_.begin()}).first->second.plain;
}

}  // namespace mbu::tree
