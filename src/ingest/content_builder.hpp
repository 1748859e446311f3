// ContentBuilder: from a file's chunks in order to its content: a few direct chunks, or a tree of chunk lists whose
// nodes are cut by content, so that one changed chunk changes one list a level (FORMAT.md §7.1).
//
// Holds one unfinished list a level: memory does not grow with the file. One thread at a time.
#pragma once

#include "format/chunk_list.hpp"
#include "format/entry.hpp"
#include "ingest/chunk_sink.hpp"

namespace mbu::ingest {

class ContentBuilder {
 public:
  void add(const format::ChunkRef& chunk, ChunkSink& sink);
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  // Ends the file. The builder may only be destroyed afterwards.
  [[nodiscard]] format::Content finish(ChunkSink& sink);

 private:
  void push(std::size_t level, const format::ListItem& item, ChunkSink& sink);
  void flush(std::size_t level, ChunkSink& sink);

  std::vector<format::ChunkRef> direct_;       // until there are too many
  std::vector<format::ChunkList> levels_;      // unfinished, from the leaves up
  std::uint64_t bytes_ = 0;
};

}  // namespace mbu::ingest
