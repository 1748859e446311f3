// Reading trees: directories as streams of entries, paths, and the bytes of files.
//
// Everything that can be wrong in a page or a list is checked here or below: order of names across pages, levels, lengths. All
// functions throw Code::corrupt naming what is damaged; those that visit a directory's leaves visit the others before. One thread at
// a time per reader.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "format/page.hpp"
#include "tree/chunk_reader.hpp"

namespace mbu::tree {

class TreeReader {
 public:
  TreeReader(const repo::Vault& vault, const repo::ChunkIndex& index) : chunks_(vault, index) {}

  // One page, decoded.
  [[nodiscard]] format::Page page(const ChunkId& id, const std::string& directory_path);

  // Calls `visit` with each leaf page of the directory in order. `path` is for messages only. A page that is damaged or missing
  // costs what is below it: the first such error is thrown when all the others were visited. What `visit` throws ends it at once.
  void for_each_leaf(const ChunkId& directory, const std::string& path,
                     const std::function<void(format::Page&&)>& visit);

  // As for_each_leaf, but leaves that hold no name from `first` to `last` are not read.
  void for_each_leaf_between(const ChunkId& directory, const std::string& path, const std::string& first,
                             const std::string& last, const std::function<void(format::Page&&)>& visit);

  // The entry at an absolute path and the leaf it is in; "/" is nothing, since no entry names it.
  struct Found {
    format::Entry entry;
    ChunkId inline_chunk;
    std::uint32_t inline_length = 0;
  };
  [[nodiscard]] std::optional<Found> find_path(const ChunkId& root, const std::string& path);

  // The entry of that name in a directory, whose root page this is.
  [[nodiscard]] std::optional<Found> find_in(const ChunkId& directory, const std::string& path, const std::string& name);

  // The chunks of a content in order, list trees expanded as they are reached.
  void for_each_chunk(const format::Content& content, const std::string& path,
                      const std::function<void(const format::ChunkRef&)>& visit);

  // The bytes of any content but an inlined one.
  [[nodiscard]] ByteBuffer read_all(const format::Content& content, const std::string& path, std::size_t limit);

  // Where the data of a sparse file lies.
  [[nodiscard]] std::vector<format::DataRun> data_runs(const format::Entry& entry, const std::string& path);

  [[nodiscard]] ChunkReader& chunks() noexcept { return chunks_; }

 private:
  void visit_list(const ChunkId& id, int level, std::uint64_t bytes, const std::string& path,
                  const std::function<void(const format::ChunkRef&)>& visit);

  ChunkReader chunks_;
};

}  // namespace mbu::tree
