#include "tree/chunk_reader.hpp"

namespace mbu::tree {

ChunkReader::ChunkReader(const repo::Vault& vault, const repo::ChunkIndex& index, std::size_t cache_bytes)
    : vault_(&vault), index_(&index), fetcher_(vault), cache_bytes_(cache_bytes) {}

ByteView ChunkReader::read(const ChunkId& id, format::BlockRole role, const std::string& wanted_by) {
  const auto location = index_->find(id);
  if (!location) throw Error(Code::corrupt, "a chunk of it is in no pack that is here", wanted_by);
  const BlockKey key{location->pack, location->block};
  auto found = blocks_.find(key);
  if (found == blocks_.end()) {
    const auto plain = fetcher_.fetch(index_->pack(location->pack), location->block);
    while (!ages_.empty() && cached_ + plain.size() > cache_bytes_) {
      const auto oldest = blocks_.find(ages_.back());
      cached_ -= oldest->second.plain.size();
      blocks_.erase(oldest);
      ages_.pop_back();
    }
    ages_.push_front(key);
    found = blocks_.emplace(key, Cached{ByteBuffer(plain.begin(), plain.end()), ages_.begin()}).first;
    cached_ += plain.size();
  } else {
    ages_.splice(ages_.begin(), ages_, found->second.age);
  }
  const auto bytes = ByteView(found->second.plain).subspan(location->offset, location->length);
  const auto& pack = index_->pack(location->pack);
  if (!repo::is_chunk(*vault_, pack, role, bytes, id)) {
    throw Error(Code::corrupt, "a chunk in it does not hash to its id",
                store::object_path(store::Folder::packs, pack.name));
  }
  return bytes;
}

}  // namespace mbu::tree
