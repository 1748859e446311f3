// Indexes: the tocs of many packs in one object (FORMAT.md §8). Pure functions; any thread.
#pragma once

#include "format/toc.hpp"

namespace mbu::format {

struct IndexedPack {
  ObjectName name;
  std::uint64_t size = 0;  // of the whole file, bytes
  ByteBuffer header;       // the pack's, with its sealed key
  PublicKey writer;        // Ed25519
  Toc toc;
  bool operator==(const IndexedPack&) const = default;
};

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
