// PackWriter: one pack from its header to its trailer (FORMAT.md §7), streamed to the store.
//
// A worker owns the pack it writes: one thread at a time. Until finish() returns nothing of it exists; a writer that is
// destroyed before takes its key with it.
#pragma once

#include "format/index.hpp"
#include "repo/block_codec.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

class PackWriter {
 public:
  PackWriter(const Vault& vault, bool verify);

  // Appends a block. `plain` are the chunks joined, at most kLargestBlock bytes.
  void add(format::BlockRole role, Packing packing, ByteView plain, std::span<const format::ChunkRef> chunks,
           BlockScratch& scratch);

  // Bytes and chunks written so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t chunks() const noexcept { return toc_.chunks.size(); }

  // Pads, signs, publishes.
  [[nodiscard]] format::DescribedPack finish(BlockScratch& scratch);

 private:
  void write(ByteView bytes);

  const Vault* vault_;
  OpenHeader header_;
  BlockSealer sealer_;
  std::unique_ptr<store::ObjectWriter> object_;
  format::Toc toc_;
  std::uint64_t size_ = 0;
};

}  // namespace mbu::repo
