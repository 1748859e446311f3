// Blocks between plain bytes and what lies in a pack: compress, encrypt, verify; and back (FORMAT.md §7).
//
// A codec owns a pack's key and its nonces: sealing consumes the next block number, whatever happens afterwards. One
// thread at a time.
#pragma once

#include <span>

#include "crypto/aead.hpp"
#include "format/toc.hpp"
#include "keys/keyring.hpp"
#include "repo/compression.hpp"
#include "repo/envelope.hpp"

namespace mbu::repo {

// The id key for chunks in blocks of that role.
[[nodiscard]] const crypto::Key& id_key(const keys::DomainKeys& domain, format::BlockRole role);
[[nodiscard]] ChunkId chunk_id(const keys::DomainKeys& domain, format::BlockRole role, ByteView bytes);

inline constexpr std::size_t kLargestBlock = 8U << 20;  // plain bytes
inline constexpr std::size_t kLargestChunk = 4U << 20;

// Buffers and zstd contexts that a worker keeps between packs.
struct BlockScratch {
  explicit BlockScratch(Compression compression) : compressor(compression) {}
  Compressor compressor;
  Decompressor decompressor;
  Scratch stored;
  Scratch opened;  // while what was sealed is verified
  Scratch plain;
};

// How a block's bytes are to be kept: compressed if that is worth it, or as they are.
enum class Packing { compressed, raw };

class BlockSealer {
 public:
  BlockSealer(const OpenHeader& header, const keys::DomainKeys& domain, bool verify);

  struct Sealed {
    format::BlockEntry entry;
    ByteView stored;  // in scratch.stored, until its next use
  };
  // Seals `plain`, which is `chunks` joined. With verification on, the result is opened again and each chunk's id computed from what
  // comes out; a difference is a fault of this machine's memory or of a library, and throws Code::failed.
  [[nodiscard]] Sealed seal(format::BlockRole role, Packing packing, ByteView plain,
                            std::span<const format::ChunkRef> chunks, BlockScratch& scratch);

 private:
  void verify_sealed(const Sealed& sealed, std::uint32_t number, std::span<const format::ChunkRef> chunks,
                     BlockScratch& scratch);

  crypto::Aead aead_;
  crypto::Digest header_hash_;
  const keys::DomainKeys* domain_;
  std::uint32_t next_number_ = 0;
  bool verify_;
};

class BlockOpener {
 public:
  explicit BlockOpener(const OpenHeader& header);

  // The plain bytes, until the next use of scratch.plain or `stored`, which is decrypted in place: what does not compress stays in a near
  // cache. Chunk ids are not checked here. Code::corrupt naming `subject`.
  [[nodiscard]] ByteView open(std::uint32_t number, const format::BlockEntry& entry, MutableBytes stored,
                              BlockScratch& scratch, const std::string& subject);

 private:
  crypto::Aead aead_;
  crypto::Digest header_hash_;
};

}  // namespace mbu::repo
