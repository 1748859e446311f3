#include "repo/pack_reader.hpp"

#include <algorithm>

#include "format/body.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestToc = 512U << 20;
constexpr std::size_t kOpeners = 32;

}  // namespace

format::DescribedPack read_toc(const Vault& vault, const ObjectName& name) {
  auto& store = vault.store();
  const auto path = store::object_path(store::Folder::packs, name);
  const std::uint64_t size = store.size(store::Folder::packs, name);
  constexpr std::uint64_t kTail = sizeof(crypto::Signature) + format::kTrailerSize;
  if (size < format::kSealedHeaderSize + kTail) throw Error(Code::corrupt, "is cut short", path);

  ByteBuffer tail(kTail);
  store.read_at(store::Folder::packs, name, size - kTail, tail);
  const auto trailer = format::decode_trailer(ByteView(tail).last(format::kTrailerSize), path);
  if (trailer.toc_length > kLargestToc || trailer.toc_length > size - kTail - format::kSealedHeaderSize) {
    throw Error(Code::corrupt, "its table of contents cannot be that long", path);
  }
  ByteBuffer head(format::kSealedHeaderSize);
  store.read_at(store::Folder::packs, name, 0, head);
  ByteBuffer sealed(trailer.toc_length);
  store.read_at(store::Folder::packs, name, size - kTail - sealed.size(), sealed);

  // The toc is bound to the header's hash. The pack's own key, which only the owner can get, says nothing more of it.
  const auto& keyring = vault.keyring();
  const auto header = keyring.is_owner() ? ReadHeader(open_header(keyring, format::ObjectKind::pack, head, path))
                                         : read_header(keyring, format::ObjectKind::pack, head, path);
  const auto index_key = keyring.index_key(header.header.domain, header.header.generation);
  const auto key = crypto::derive("mbu v1 toc key", {crypto::view(index_key), header.hash});
  const auto plain = crypto::open_once(key, header.hash, sealed, path);
  const auto body = format::decode_sealed_toc_plain(plain, path);
  crypto::Signature signature;
  std::ranges::copy(ByteView(tail).first(signature.size()), signature.begin());
  if (!crypto::verify(body.signer, format::signature_message(format::ObjectKind::pack, header.hash, crypto::sha256(sealed)),
                      signature)) {
    throw Error(Code::corrupt, "its signature is not its writer's", path);
  }
  vault.require_admitted(body.signer, header.header.domain, store::Folder::packs, name);
  ByteBuffer encoded(body.plain_length);
  if (!Decompressor().decompress(body.compressed, encoded)) {
    throw Error(Code::corrupt, "its table of contents does not decompress", path);
  }

  format::DescribedPack pack;
  pack.name = name;
  pack.size = size;
  pack.header = header.bytes;
  pack.writer = body.signer;
  pack.toc = format::decode_toc(encoded, path);
  if (header.bytes.size() + format::stored_size(pack.toc.blocks) + sealed.size() + kTail != size) {
    throw Error(Code::corrupt, "its blocks do not fill it", path);
  }
  return pack;
}

PackInfo pack_info(const ObjectName& name, std::uint64_t size, ByteBuffer header, std::vector<format::BlockEntry> blocks) {
  PackInfo info;
  info.name = name;
  info.size = size;
  const auto decoded = format::decode_header(header, format::ObjectKind::pack, store::object_path(store::Folder::packs, name));
  info.domain = decoded.domain;
  info.generation = decoded.generation;
  info.header = std::move(header);
  info.blocks = std::move(blocks);
  info.offsets.reserve(info.blocks.size());
  std::uint64_t offset = info.header.size();
  for (const auto& block : info.blocks) {
    info.offsets.push_back(offset);
    offset += block.stored;
  }
  return info;
}

bool is_chunk(const Vault& vault, const PackInfo& pack, format::BlockRole role, ByteView bytes, const ChunkId& id) {
  return chunk_id(vault.keyring().domain_keys(pack.domain, pack.generation), role, bytes) == id;
}

BlockOpener& BlockFetcher::opener_for(const PackInfo& pack) {
  const auto found = std::ranges::find(openers_, pack.name, &std::pair<ObjectName, BlockOpener>::first);
  if (found != openers_.end()) {
    openers_.splice(openers_.begin(), openers_, found);
  } else {
    const auto path = store::object_path(store::Folder::packs, pack.name);
    const auto header = open_header(vault_->keyring(), format::ObjectKind::pack, pack.header, path);
    openers_.emplace_front(pack.name, BlockOpener(header));
    if (openers_.size() > kOpeners) openers_.pop_back();
  }
  return openers_.front().second;
}

ByteView BlockFetcher::fetch(const PackInfo& pack, std::uint32_t block) {
  const auto& entry = pack.blocks.at(block);
  const auto path = store::object_path(store::Folder::packs, pack.name);
  const auto stored = scratch_.stored.resize(entry.stored);
  vault_->store().read_at(store::Folder::packs, pack.name, pack.offsets[block], stored);
  return opener_for(pack).open(block, entry, stored, scratch_, path);
}

}  // namespace mbu::repo
