// KeptPages: the pages of the last snapshot of a series, and the contents of tiny files beside them, in the cache (cache/pages.hpp): for who
// packages changes without the owner's keys, and cannot read them where they are stored.
//
// Compressed before they are encrypted. Any thread, but for fill() and tidy(): one, and nobody puts meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cache/pages.hpp"
#include "format/page.hpp"
#include "format/toc.hpp"
#include "repo/compression.hpp"

namespace mbu::tree {

class KeptPages {
 public:
  explicit KeptPages(std::unique_ptr<cache::Pages> pages);

  // A page's bytes, or those of an inline chunk.
  [[nodiscard]] std::optional<ByteBuffer> find(const ChunkId& id);
  // What the page names must have been put before.
  void put(const ChunkId& id, ByteView bytes);

  using Read = std::function<ByteBuffer(const ChunkId& id, format::BlockRole role)>;
  // Puts what of the tree below a directory's page is not there yet, as `read` brings it. What that throws Code::corrupt or not_found for
  // is left out.
  void fill(const ChunkId& directory, const Read& read);

  // Deletes what is not of this tree, when so much was put that it may be worth it.
  void tidy(const ChunkId& directory);
  void write_back() { pages_->write_back(); }

 private:
  // One page on the way down.
  struct Step {
    ChunkId id;
    ByteBuffer bytes;
    std::vector<ChunkId> below;  // not visited yet
  };
  [[nodiscard]] static std::vector<ChunkId> named_by(const format::Page& page);

  std::unique_ptr<cache::Pages> pages_;
  std::mutex mutex_;  // guards what follows
  repo::Compressor compressor_;
  repo::Decompressor decompressor_;
  Scratch frame_;
  std::uint64_t live_ = 0;  // of the tree, at the last look
  std::uint64_t put_ = 0;   // since then
};

}  // namespace mbu::tree
