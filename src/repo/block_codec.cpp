#include "repo/block_codec.hpp"

namespace mbu::repo {
namespace {

crypto::Key block_key(const OpenHeader& header) {
  return crypto::derive("mbu v1 block key", {crypto::view(header.key)});
}

// Decrypts into `opened`, which may be `stored`, and decompresses; a view of the plain bytes there or in scratch.plain, or nothing.
std::optional<ByteView> decode(crypto::Aead& aead, const crypto::Digest& header_hash, std::uint32_t number,
                               const format::BlockEntry& entry, ByteView stored, MutableBytes opened, BlockScratch& scratch) {
  const auto additional = format::block_aad(header_hash, number, entry);
  if (!aead.open(format::block_nonce(number), additional, stored, entry.tag, opened)) return std::nullopt;
  if (entry.method == format::BlockMethod::raw) return opened;
  if (!scratch.decompressor.decompress(opened, scratch.plain.resize(entry.plain))) return std::nullopt;
  return scratch.plain.view();
}

}  // namespace

const crypto::Key& id_key(const keys::DomainKeys& domain, format::BlockRole role) {
  switch (role) {
    case format::BlockRole::list: return domain.list_id;
    case format::BlockRole::page: return domain.page_id;
    default: return domain.data_id;
  }
}

ChunkId chunk_id(const keys::DomainKeys& domain, format::BlockRole role, ByteView bytes) {
  return ChunkId::from(crypto::keyed_hash(id_key(domain, role), bytes));
}

BlockSealer::BlockSealer(const OpenHeader& header, const keys::DomainKeys& domain, bool verify)
    : aead_(block_key(header)), header_hash_(header.hash), domain_(&domain), verify_(verify) {}

BlockSealer::Sealed BlockSealer::seal(format::BlockRole role, Packing packing, ByteView plain,
                                      std::span<const format::ChunkRef> chunks, BlockScratch& scratch) {
  Sealed sealed{};
  auto& entry = sealed.entry;
  entry.role = role;
  entry.plain = static_cast<std::uint32_t>(plain.size());
  entry.chunks = static_cast<std::uint32_t>(chunks.size());
  const bool compressed = packing == Packing::compressed && scratch.compressor.compress(plain, scratch.stored);
  entry.method = compressed ? format::BlockMethod::zstd : format::BlockMethod::raw;
  if (!compressed) scratch.stored.resize(plain.size());
  entry.stored = static_cast<std::uint32_t>(scratch.stored.size());
  const std::uint32_t number = next_number_++;
  entry.tag = aead_.seal(format::block_nonce(number), format::block_aad(header_hash_, number, entry),
                         compressed ? scratch.stored.view() : plain, scratch.stored.bytes());
  sealed.stored = scratch.stored.view();
  if (verify_) verify_sealed(sealed, number, chunks, scratch);
  return sealed;
}

void BlockSealer::verify_sealed(const Sealed& sealed, std::uint32_t number, std::span<const format::ChunkRef> chunks,
                                BlockScratch& scratch) {
  auto plain = decode(aead_, header_hash_, number, sealed.entry, sealed.stored, scratch.opened.resize(sealed.stored.size()), scratch);
  bool good = plain.has_value();
  for (const auto& chunk : chunks) {
    if (!good) break;
    good = chunk_id(*domain_, sealed.entry.role, plain->first(chunk.length)) == chunk.id;
    plain = plain->subspan(chunk.length);
  }
  if (!good) {
    throw Error(Code::failed, "a block that was just made does not open to what went into it", {},
                "this machine's memory or processor is faulty: test it before you trust a backup made on it");
  }
}

BlockOpener::BlockOpener(const OpenHeader& header) : aead_(block_key(header)), header_hash_(header.hash) {}

ByteView BlockOpener::open(std::uint32_t number, const format::BlockEntry& entry, MutableBytes stored,
                           BlockScratch& scratch, const std::string& subject) {
  const auto plain = decode(aead_, header_hash_, number, entry, stored, stored, scratch);
  if (!plain) throw Error(Code::corrupt, "block " + std::to_string(number) + " does not open", subject);
  return *plain;
}

}  // namespace mbu::repo
