// What is in a pack: its table of contents, its trailer, and what ties a block to its place (FORMAT.md §7).
// Pure functions; any thread.
#pragma once

#include "format/entry.hpp"

namespace mbu::format {

enum class BlockRole : std::uint8_t { data = 1, list = 2, page = 3, inlined = 4, padding = 255 };
enum class BlockMethod : std::uint8_t { raw = 0, zstd = 1 };

inline constexpr std::size_t kMostBlocks = 65'536;
inline constexpr std::size_t kMostChunks = 4'194'304;
inline constexpr std::uint32_t kLargestBlock = 8 * 1024 * 1024;  // plain
inline constexpr std::uint32_t kLargestStored = kLargestBlock + 64 * 1024;
inline constexpr std::uint64_t kLargestPack = 0xffff'ffff;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kSignatureSize = 64;
inline constexpr std::size_t kTrailerSize = 16;

struct BlockEntry {
  std::uint32_t stored = 0;  // bytes in the pack
  std::uint32_t plain = 0;   // bytes after decompression
  std::uint32_t chunks = 0;
  BlockRole role = BlockRole::data;
  BlockMethod method = BlockMethod::raw;
  std::array<std::uint8_t, kTagSize> tag{};
  bool operator==(const BlockEntry&) const = default;
};

// A chunk as an index names it.
struct IndexedChunk {
  ChunkPrefix id;
  std::uint32_t length = 0;  // bytes
  bool operator==(const IndexedChunk&) const = default;
};

template <class Chunk>
struct TocOf {
  std::vector<BlockEntry> blocks;  // in order of block number
  std::vector<Chunk> chunks;       // in order of block and of position within it
  bool operator==(const TocOf&) const = default;
};
using Toc = TocOf<ChunkRef>;             // a pack's own
using IndexedToc = TocOf<IndexedChunk>;  // what an index says of it

// The FlatBuffer, neither compressed nor sealed. Equal tocs give equal bytes.
[[nodiscard]] ByteBuffer encode_toc(const Toc& toc);
// Throws Code::corrupt unless every bound and sum of FORMAT.md §7 holds that the toc alone can be checked for.
[[nodiscard]] Toc decode_toc(ByteView bytes, const std::string& subject);

// Sum of the blocks' stored lengths: what lies between header and sealed toc.
[[nodiscard]] std::uint64_t stored_size(const std::vector<BlockEntry>& blocks) noexcept;

struct PackTrailer {
  std::uint32_t toc_length = 0;  // of the sealed toc, tag included
};

[[nodiscard]] ByteBuffer encode_trailer(const PackTrailer& trailer);
// `bytes` are the last kTrailerSize of a pack. Throws Code::corrupt; that the toc fits the file is for the caller to check.
[[nodiscard]] PackTrailer decode_trailer(ByteView bytes, const std::string& subject);

inline constexpr std::size_t kBlockAadSize = 44;

// Additional data and nonce of block `number`. `header_hash` are the 32 bytes of HH; of the entry its role, method and
// plain length count.
[[nodiscard]] std::array<std::uint8_t, kBlockAadSize> block_aad(ByteView header_hash, std::uint32_t number,
                                                                const BlockEntry& block);
[[nodiscard]] std::array<std::uint8_t, 12> block_nonce(std::uint32_t number) noexcept;

}  // namespace mbu::format
