// RestorePlan: which bytes of which chunks go where, as a value; applied by Writer. Private to restore/.
//
// Ordered by pack and block, so that each block is fetched and opened once, however many files its chunks belong to.
#pragma once

#include <span>

#include "format/toc.hpp"
#include "repo/chunk_index.hpp"

namespace mbu::ops {

struct FileTask;

// The pack of a chunk that the index does not know, or not with this length.
inline constexpr std::uint32_t kNowhere = 0xffff'ffff;

// Bytes of one chunk that lie together in a file.
struct Segment {
  repo::Location chunk;
  ChunkId id;
  format::BlockRole role = format::BlockRole::data;
  std::uint32_t skip = 0;    // of the chunk's bytes
  std::uint32_t length = 0;  // bytes
  std::uint64_t offset = 0;  // in the file
  FileTask* file = nullptr;  // not owned
  std::uint64_t file_number = 0;  // the file's place in the walk

  // Where the bytes begin in their block.
  [[nodiscard]] std::uint32_t position() const noexcept { return chunk.offset + skip; }
};

class RestorePlan {
 public:
  // Segments after which a plan should be applied: bounds the memory of a restore.
  static constexpr std::size_t kFull = 100'000;

  void add(const Segment& segment) { segments_.push_back(segment); }
  // A file that no segment is left of, to be finished.
  void add_written(FileTask* file) { written_.push_back(file); }

  // Puts the segments in order.
  void sort();
  // The segments of one block each, in order of pack and block. Precondition: sorted.
  [[nodiscard]] std::vector<std::span<const Segment>> blocks() const;
  [[nodiscard]] const std::vector<FileTask*>& written() const noexcept { return written_; }

  [[nodiscard]] bool full() const noexcept { return segments_.size() >= kFull; }
  [[nodiscard]] bool empty() const noexcept { return segments_.empty() && written_.empty(); }
  void clear() noexcept {
    segments_.clear();
    written_.clear();
  }

 private:
  std::vector<Segment> segments_;
  std::vector<FileTask*> written_;
};

// How many segments from the front are one piece both in their block and in one file.
[[nodiscard]] std::size_t joined_segments(std::span<const Segment> segments) noexcept;

}  // namespace mbu::ops
