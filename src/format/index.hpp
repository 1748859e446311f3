// Indexes: the tocs of many packs in one object (FORMAT.md §8). Pure functions; any thread.
#pragma once

#include "format/toc.hpp"

namespace mbu::format {

template <class Chunk>
struct PackOf {
  ObjectName name;
  std::uint64_t size = 0;  // of the whole file, bytes
  ByteBuffer header;       // the pack's, with its sealed key
  PublicKey writer;        // Ed25519
  TocOf<Chunk> toc;
  bool operator==(const PackOf&) const = default;
};
using DescribedPack = PackOf<ChunkRef>;    // by the pack's own toc
using IndexedPack = PackOf<IndexedChunk>;  // by an index

// What an index says of the pack.
[[nodiscard]] IndexedPack indexed(DescribedPack pack);

struct Index {
  std::vector<IndexedPack> packs;
  std::vector<ObjectName> supersedes;  // indexes whose packs are all in this one
  bool operator==(const Index&) const = default;
};

[[nodiscard]] ByteBuffer encode_index(const Index& index);
// Every header and toc is checked as decode_header() and decode_toc() do, and that header, blocks, a sealed toc, signature and
// trailer can make up the pack's size. Throws Code::corrupt.
[[nodiscard]] Index decode_index(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
