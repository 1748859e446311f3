// From a file's content to the segments of a plan; private to restore/.
#pragma once

#include <functional>

#include "ops/restore/file_task.hpp"
#include "ops/restore/plan.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {

// Maps a file's data, read front to back, to its places between the holes.
class RunCursor {
 public:
  explicit RunCursor(std::vector<format::DataRun> runs) : runs_(std::move(runs)) {}

  // Calls piece(skip, length, offset) for the next `length` bytes of data: `skip` of them are before the piece, which lies at `offset`
  // of the file. False when there are not so many left.
  template <class Piece>
  [[nodiscard]] bool advance(std::uint64_t length, Piece piece) {
    std::uint64_t skip = 0;
    while (skip < length) {
      if (run_ == runs_.size()) return false;
      const auto& run = runs_[run_];
      const auto part = std::min(length - skip, run.length - used_);
      piece(skip, part, run.offset + used_);
      skip += part;
      used_ += part;
      if (used_ == run.length) {
        ++run_;
        used_ = 0;
      }
    }
    return true;
  }
  [[nodiscard]] bool at_end() const noexcept { return run_ == runs_.size(); }

 private:
  std::vector<format::DataRun> runs_;
  std::size_t run_ = 0;
  std::uint64_t used_ = 0;  // of the current run
};

// Adds all of the file's segments, calling `drain` whenever the plan is full: it must apply and clear it. Damage found on the way
// is left in the task. One thread.
void plan_content(FileTask& task, tree::TreeReader& reader, const repo::ChunkIndex& index, RestorePlan& plan,
                  const std::function<void()>& drain);

}  // namespace mbu::ops
