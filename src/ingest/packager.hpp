// Packager: a source's tree into chunks and pages, as little of it read as the last snapshot allows.
//
// The walk is a stack of tasks that all workers share (WorkQueue). A directory is listed; if nothing in the listing changed since the
// record in the cache was made, its page is taken over as it is once its subdirectories have said the same. Else its entries are
// grouped into the leaves they will form; a group waits for its subdirectories and for files of more than 1 MiB, then one worker reads its
// other files and writes its page. What waits is what lies beside the path to the root, so memory follows the widest directories
// on one path, not the tree.
#pragma once

#include "ingest/chunk_store.hpp"
#include "ingest/dirty.hpp"
#include "ingest/hard_links.hpp"
#include "repo/context.hpp"
#include "source/source.hpp"
#include "tree/kept_pages.hpp"

namespace mbu::ingest {

struct PackageRequest {
  explicit PackageRequest(source::Source& from) noexcept : source(from) {}
  source::Source& source;
  // The root page of the snapshot whose pages may be reused: all packs it needs are here. Nothing: everything is read.
  std::optional<ChunkId> previous_root;
  // Trust no record: read every file again.
  bool force = false;
  // The directories to look at; all others are taken over from the previous root, unlisted. Null: all.
  const Dirty* dirty = nullptr;
  // Whether .gitignore files choose: below one that may have changed everything is looked at.
  bool gitignore = false;
  // Where pages of the previous snapshot are looked for first; null: only where they are stored.
  tree::KeptPages* kept = nullptr;
  // Told of files with several names; null: nobody wants to know.
  HardLinks* hard_links = nullptr;
  // What was below the previous root; for who says what is dirty.
  std::uint64_t previous_files = 0, previous_directories = 0, previous_bytes = 0;
  // What was asked for, hashed: records of another selection are not used.
  crypto::Digest selection{};
  // Whether the cache shall know what was packaged: not for a dry run.
  bool remember = true;
};

struct PackageCounts {
  std::uint64_t files_new = 0, files_changed = 0, files_unmodified = 0;
  std::uint64_t dirs_new = 0, dirs_changed = 0, dirs_unmodified = 0;
  std::uint64_t bytes_read = 0;
  PackageCounts& operator+=(const PackageCounts& other) noexcept;
};

struct PackageResult {
  ChunkId root;
  std::uint64_t files = 0, directories = 0, bytes = 0;
  PackageCounts counts;
  std::vector<Problem> problems;  // the first 1,000
  std::uint64_t problem_count = 0;
  // A page of the previous snapshot could not be read when that was found out too late: the result is good for nothing but a second run
  // without a previous root.
  bool lost_previous = false;
};

// Runs on context.threads threads. Chunks go to `store`, which is not finished. Damage met in the pages of the previous snapshot is told as
// an event, and the store is made to distrust the packs: what refers to them may be lost, so that the result is good only for a
// second run without a previous root when store.met_losses(). Code::source errors of single files become problems; all
// others end the run.
[[nodiscard]] PackageResult package_tree(const repo::Context& context, const repo::ChunkIndex& index, ChunkStore& store,
                                         const PackageRequest& request);

}  // namespace mbu::ingest
