// ChunkSink: where a worker of a run puts its chunks (FORMAT.md §7). It gathers them into blocks and seals each block into the pack it
// is writing, so that a worker carries data from a file to a finished block without waiting for others.
//
// What a block gains by compression follows from what lies in it together: chunks that do not compress get raw blocks of their own,
// those of small files wait on a shelf when their name comes again and again. One thread at a time.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/shelf.hpp"
#include "repo/pack_writer.hpp"

namespace mbu::ingest {

class ChunkStore;

// Of the file that a chunk comes from: files that have much in common are called alike.
struct FileHint {
  std::string_view name;  // the last component of its path
  std::uint64_t size = ~std::uint64_t{0};  // bytes; not known: taken as large
};

class ChunkSink {
 public:
  // `store` must outlive it. `shelf_bytes`: how much of small files waits.
  ChunkSink(ChunkStore& store, Compression compression, std::size_t shelf_bytes);

  // Stores the chunk unless it is known; its id.
  ChunkId put(format::BlockRole role, ByteView bytes);
  // The same for a piece of a file that is cut into chunks of these lengths; what lies behind them is not looked at.
  [[nodiscard]] std::vector<format::ChunkRef> put_file(ByteView piece, std::span<const std::size_t> lengths, const FileHint& file);

 private:
  friend class ChunkStore;
  // A block being filled.
  struct Block {
    format::BlockRole role;
    repo::Packing packing;
    std::size_t target;  // plain bytes
    ByteBuffer plain;
    std::vector<format::ChunkRef> chunks;
  };
  // Chunks of files lie in other packs than what listing reads.
  enum PackKind { data_pack, listing_pack, pack_kinds };
  static PackKind pack_kind(format::BlockRole role);

  [[nodiscard]] bool must_store(format::BlockRole role, const format::ChunkRef& chunk);
  [[nodiscard]] Block& block(format::BlockRole role, repo::Packing packing = repo::Packing::compressed);
  void append(Block& block, const format::ChunkRef& chunk, ByteView bytes);
  void append_raw(std::span<const format::ChunkRef> chunks, ByteView bytes);
  void shelve(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name);
  void clear_shelf();
  void seal(Block& block, PackKind into);
  void seal(const Block& kind, ByteView plain, std::span<const format::ChunkRef> chunks, PackKind into);
  void close(PackKind kind);
  // Seals what waits on the shelf or fills at least half a block.
  void seal_most();
  [[nodiscard]] std::size_t waiting_bytes() const;
  void take_over(ChunkSink& other);

  ChunkStore* store_;
  repo::BlockScratch scratch_;
  Shelf shelf_;
  std::vector<Block> blocks_;
  std::optional<repo::PackWriter> packs_[pack_kinds];
};

}  // namespace mbu::ingest
