#include "repo/pack_writer.hpp"

#include "format/body.hpp"
#include "format/padme.hpp"

namespace mbu::repo {
namespace {

constexpr std::uint64_t kPaddedBelow = 1 << 20;
constexpr std::uint64_t kTocGranularity = 64;

crypto::Key toc_key(const keys::DomainKeys& domain, const crypto::Digest& header_hash) {
  return crypto::derive("mbu v1 toc key", {crypto::view(domain.index), header_hash});
}

std::uint64_t round_up(std::uint64_t size, std::uint64_t granularity) {
  return (size + granularity - 1) / granularity * granularity;
}

// Padded by the layout, so that its length tells little about the number of chunks.
ByteBuffer plain_toc(const format::Toc& toc, const PublicKey& writer, Compressor& compressor) {
  const auto encoded = format::encode_toc(toc);
  return format::encode_sealed_toc_plain(writer, static_cast<std::uint32_t>(encoded.size()),
                                         compressor.frame(encoded));
}

}  // namespace

PackWriter::PackWriter(const Vault& vault, bool verify)
    : vault_(&vault),
      header_(make_header(vault.keyring(), format::ObjectKind::pack)),
      sealer_(header_, vault.keyring().own_domain(), verify),
      object_(vault.store().start(store::Folder::packs)) {
  write(header_.bytes);
}

void PackWriter::write(ByteView bytes) {
  object_->append(bytes);
  size_ += bytes.size();
}

void PackWriter::add(format::BlockRole role, Packing packing, ByteView plain, std::span<const format::ChunkRef> chunks,
                     BlockScratch& scratch) {
  const auto sealed = sealer_.seal(role, packing, plain, chunks, scratch);
  write(sealed.stored);
  toc_.blocks.push_back(sealed.entry);
  toc_.chunks.insert(toc_.chunks.end(), chunks.begin(), chunks.end());
}

format::DescribedPack PackWriter::finish(BlockScratch& scratch) {
  const auto& keyring = vault_->keyring();
  const auto& writer = keyring.writer_signer();
  constexpr std::uint64_t kAround = sizeof(crypto::Tag) + sizeof(crypto::Signature) + format::kTrailerSize;

  // The padding block's own line in the toc may lengthen the toc a little: the file only has to be at least as long as
  // Padmé wants it.
  const auto unpadded = plain_toc(toc_, writer.public_key(), scratch.compressor);
  const std::uint64_t natural = size_ + unpadded.size() + kAround;
  if (natural < kPaddedBelow) {
    const auto padding = format::padme(round_up(natural, kTocGranularity)) - natural;
    if (padding != 0) add(format::BlockRole::padding, Packing::raw, ByteBuffer(padding), {}, scratch);
  }
  const auto plain = plain_toc(toc_, writer.public_key(), scratch.compressor);
  const auto sealed =
      crypto::seal_once(toc_key(keyring.own_domain(), header_.hash), header_.hash, plain);
  write(sealed);
  write(writer.sign(format::signature_message(format::ObjectKind::pack, header_.hash, crypto::sha256(sealed))));
  write(format::encode_trailer({static_cast<std::uint32_t>(sealed.size())}));

  return {object_->publish(), size_, header_.bytes, writer.public_key(), std::move(toc_)};
}

}  // namespace mbu::repo
