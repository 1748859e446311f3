// One record for the snapshot, and one for each few packs, so that a snapshot rewrites the last of these only. The snapshot's is put last: what
// it counts is there, or the record is lost with the rest of the cache.
#include "ops/backup/memory.hpp"

#include <algorithm>

namespace mbu::ops {
namespace {

constexpr std::size_t kPacksInARecord = 64;
constexpr std::uint64_t kHead = UINT64_MAX;
const std::string kWhat = "a remembered snapshot";

// Of all the packs, in order: pieces of another time do not pass for these.
crypto::Digest digest_of(const std::vector<ObjectName>& packs) {
  crypto::Sha256 hash;
  for (const auto& name : packs) hash.update(name.view());
  return hash.finish();
}

}  // namespace

// Two series whose pages lie in one place have different records nevertheless.
ChunkId SeriesMemory::record(std::uint64_t number) const {
  ByteBuffer named(series_.begin(), series_.end());
  append(named, number);
  return ChunkId::from(crypto::sha256(named));
}

std::optional<SeriesMemory::Remembered> SeriesMemory::recall() {
  last_.reset();
  packs_.clear();
  const auto head = pages_->find(record(kHead));
  if (!head) return std::nullopt;
  try {
    Reader reader(*head, kWhat);
    Remembered remembered;
    remembered.name = reader.identifier<ObjectName>();
    const auto count = reader.integer<std::uint64_t>();
    const auto digest = reader.take(sizeof(crypto::Digest));
    remembered.snapshot = format::decode_snapshot(reader.rest(), kWhat);
    while (packs_.size() < count) {
      const auto piece = pages_->find(record(packs_.size() / kPacksInARecord));
      if (!piece) return std::nullopt;
      Reader names(*piece, kWhat);
      const auto wanted = std::min<std::uint64_t>(kPacksInARecord, count - packs_.size());
      for (std::uint64_t i = 0; i < wanted; ++i) packs_.push_back(names.identifier<ObjectName>());
    }
    if (!std::ranges::equal(digest, digest_of(packs_))) throw Error(Code::corrupt, "has packs of another time", kWhat);
    remembered.packs.insert(packs_.begin(), packs_.end());
    last_ = remembered.name;
    return remembered;
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    packs_.clear();
    return std::nullopt;
  }
}

void SeriesMemory::remember(const ObjectName& name, const format::Snapshot& snapshot) {
  const bool goes_on = snapshot.base && snapshot.base == last_;
  if (!goes_on) packs_.clear();
  std::size_t first = packs_.size() / kPacksInARecord;
  packs_.insert(packs_.end(), snapshot.packs_added.begin(), snapshot.packs_added.end());
  for (; first * kPacksInARecord < packs_.size(); ++first) {
    ByteBuffer piece;
    const auto end = std::min(packs_.size(), (first + 1) * kPacksInARecord);
    for (std::size_t i = first * kPacksInARecord; i < end; ++i) append(piece, packs_[i].view());
    pages_->put(record(first), piece);
  }
  ByteBuffer head;
  append(head, name.view());
  append(head, static_cast<std::uint64_t>(packs_.size()));
  append(head, digest_of(packs_));
  append(head, format::encode_snapshot(snapshot));
  pages_->put(record(kHead), head);
  pages_->write_back();
  last_ = name;
}

}  // namespace mbu::ops
