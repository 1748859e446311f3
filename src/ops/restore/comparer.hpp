// Comparer: whether a file on disk has the content of an entry, chunk by chunk; private to restore/.
#pragma once

#include "ops/restore/file_task.hpp"
#include "repo/context.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {

// One thread at a time.
class Comparer {
 public:
  Comparer(const repo::Context& context, const repo::ChunkIndex& index)
      : context_(context), index_(index), reader_(context.vault, index) {}

  // The file's size must have been compared. Holes count as zeros. Code::corrupt when the repository cannot tell, Code::source
  // when the file cannot be read.
  [[nodiscard]] bool same(int fd, const FileTask& task, os::Blame blame);

 private:
  [[nodiscard]] bool same_chunks(int fd, const FileTask& task, const std::vector<format::DataRun>& runs, os::Blame blame);
  [[nodiscard]] bool same_inlined(int fd, const FileTask& task, const std::vector<format::DataRun>& runs, os::Blame blame);
  [[nodiscard]] bool zeros_between(int fd, std::uint64_t begin, std::uint64_t end, os::Blame blame);

  // A chunk that no pack holds any more is taken for one of the current generation.
  [[nodiscard]] bool is_stored_as(const ChunkId& id, ByteView bytes) const;

  const repo::Context& context_;
  const repo::ChunkIndex& index_;
  tree::TreeReader reader_;
  ByteBuffer buffer_;
};

}  // namespace mbu::ops
