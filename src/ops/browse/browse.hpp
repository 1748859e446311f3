// Looking at snapshots without restoring them: list, compare.
#pragma once

#include <functional>

#include "mbu/types/results.hpp"
#include "repo/chunk_index.hpp"
#include "repo/context.hpp"

namespace mbu::ops {

[[nodiscard]] EntryInfo describe(const format::Entry& entry, const std::string& path);

// `path` itself when it is no directory, else what is in it; depth first, in name order. Code::not_found.
void list(const repo::Context& context, const repo::ChunkIndex& index, const ChunkId& root, const std::string& path,
          bool recursive, const std::function<void(const EntryInfo&)>& visit);

// What must be done to the first tree to make it the second. Subtrees whose root pages are equal are not looked into.
// Between domains, whose ids tell nothing of each other, files of the same size and time count as equal.
struct IndexedTree {
  const repo::ChunkIndex& index;  // of the tree's domain
  ChunkId root;
};
DiffSummary diff(const repo::Context& context, const IndexedTree& from, const IndexedTree& to, const std::function<void(const DiffLine&)>& visit);

}  // namespace mbu::ops
