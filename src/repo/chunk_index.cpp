#include "repo/chunk_index.hpp"

#include <algorithm>
#include <set>

#include "repo/tombstones.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestIndex = 1U << 30;

}  // namespace

ReadIndex read_index(const Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::indexes, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::indexes, name, kLargestIndex);
  const auto object = open_object(vault.keyring(), format::ObjectKind::index, bytes, path);
  if (!vault.is_admitted(object.signer, object.header.domain, store::Folder::indexes, name)) {
    throw Error(Code::corrupt, "is signed by a writer who was never admitted", path);
  }
  return {object.signer, format::decode_index(object.plain, path)};
}

ObjectName write_index(const Vault& vault, std::vector<format::IndexedPack> packs) {
  const auto plain = format::encode_index({std::move(packs), {}});
  const auto& keyring = vault.keyring();
  return store::put(vault.store(), store::Folder::indexes,
                    seal_object(keyring, format::ObjectKind::index, keyring.writer_signer(), plain));
}

ChunkIndex ChunkIndex::load(const Vault& vault, const std::function<void(const CheckReport::Finding&)>& damage) {
  ChunkIndex result;
  result.vault_ = &vault;
  const auto tombstoned = read_tombstones(vault, damage).packs;
  std::set<ObjectName> missing;  // packs that are listed and not added yet
  for (const auto& listed : vault.store().list(store::Folder::packs, false)) missing.insert(listed.name);

  for (const auto& listed : vault.store().list(store::Folder::indexes, false)) {
    try {
      const auto [signer, index] = read_index(vault, listed.name);
      ++result.index_objects_;
      for (const auto& pack : index.packs) {
        // What a writer says of another's pack is worth nothing: that pack speaks for itself below.
        if (pack.writer != signer || !missing.contains(pack.name)) continue;
        result.add(pack, tombstoned.contains(pack.name));
        missing.erase(pack.name);
      }
    } catch (const Error& error) {
      if (error.code() == Code::not_found) continue;  // replaced by another since it was listed
      if (error.code() != Code::corrupt) throw;
      damage({error.subject(), error.happened()});
    }
  }
  result.indexed_ = static_cast<std::uint32_t>(result.packs_.size());
  for (const auto& name : missing) {
    try {
      result.add(read_toc(vault, name), tombstoned.contains(name));
      result.unindexed_.push_back(name);
    } catch (const Error& error) {
      if (error.code() == Code::not_found) continue;
      if (error.code() != Code::corrupt) throw;
      damage({error.subject(), error.happened()});
    }
  }
  result.sort();
  return result;
}

void ChunkIndex::add(const format::IndexedPack& pack, bool tombstoned) {
  const auto number = static_cast<std::uint32_t>(packs_.size());
  packs_.push_back(pack_info(pack));
  packs_.back().tombstoned = tombstoned;
  const auto chunks = chunks_of(pack, number);
  chunks_.insert(chunks_.end(), chunks.begin(), chunks.end());
}

std::vector<ChunkIndex::Chunk> ChunkIndex::chunks_of(const format::IndexedPack& pack, std::uint32_t number) {
  std::vector<Chunk> chunks;
  chunks.reserve(pack.toc.chunks.size());
  for (std::uint32_t block = 0; block < pack.toc.blocks.size(); ++block) {
    std::uint32_t offset = 0;
    for (std::uint32_t i = 0; i < pack.toc.blocks[block].chunks; ++i) {
      const auto& chunk = pack.toc.chunks[chunks.size()];
      chunks.push_back({chunk.id, {number, block, offset, chunk.length}});
      offset += chunk.length;
    }
  }
  return chunks;
}

bool ChunkIndex::agrees(std::uint32_t number, const format::IndexedPack& own) const {
  if (packs_[number].header != own.header || packs_[number].blocks != own.toc.blocks) return false;
  return std::ranges::all_of(chunks_of(own, number), [&](const Chunk& chunk) { return std::ranges::binary_search(chunks_, chunk); });
}

const ChunkIndex& ChunkIndex::corrections() const {
  std::call_once(corrections_->once, [this] {
    auto result = std::make_unique<ChunkIndex>();
    for (std::uint32_t number = 0; number < indexed_; ++number) {
      try {
        const auto own = read_toc(*vault_, packs_[number].name);
        if (!agrees(number, own)) result->add(own, packs_[number].tombstoned);
      } catch (const Error& error) {
        if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
      }
    }
    result->sort();
    corrections_->index = std::move(result);
  });
  return *corrections_->index;
}

void ChunkIndex::sort() {
  std::ranges::sort(chunks_);
  packs_by_name_.resize(packs_.size());
  for (std::uint32_t i = 0; i < packs_.size(); ++i) packs_by_name_[i] = i;
  std::ranges::sort(packs_by_name_, {}, [&](std::uint32_t i) { return packs_[i].name; });
}

std::optional<Location> ChunkIndex::find(const ChunkId& id) const {
  const auto all = std::ranges::equal_range(chunks_, id, {}, &Chunk::id);
  if (all.empty()) return std::nullopt;
  for (const auto& copy : all) {
    if (!packs_[copy.location.pack].tombstoned) return copy.location;
  }
  return all.front().location;
}

std::vector<Location> ChunkIndex::copies(const ChunkId& id) const {
  std::vector<Location> places;
  for (const auto& copy : std::ranges::equal_range(chunks_, id, {}, &Chunk::id)) places.push_back(copy.location);
  std::ranges::stable_partition(places, [&](const Location& place) { return !packs_[place.pack].tombstoned; });
  return places;
}

bool ChunkIndex::may_refer_to(const ChunkId& id) const {
  const auto location = find(id);
  return location && !packs_[location->pack].tombstoned;
}

std::optional<std::uint32_t> ChunkIndex::find_pack(const ObjectName& name) const {
  const auto by_name = [&](std::uint32_t i) { return packs_[i].name; };
  const auto found = std::ranges::lower_bound(packs_by_name_, name, {}, by_name);
  if (found == packs_by_name_.end() || packs_[*found].name != name) return std::nullopt;
  return *found;
}

}  // namespace mbu::repo
