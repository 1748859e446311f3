// Writer: applies plans. Private to restore/.
#pragma once

#include "ops/restore/file_task.hpp"
#include "ops/restore/plan.hpp"
#include "ops/restore/run.hpp"
#include "tree/chunk_reader.hpp"

namespace mbu::ops {

class Writer {
 public:
  explicit Writer(Run& run);

  // Fetches each block, writes what is whole of it and finishes the files that nothing is left of. On context.threads threads,
  // one caller at a time. Throws what ends the run.
  void apply(RestorePlan& plan);

  // Takes away what was made of a file that will not be finished.
  void discard(FileTask& task) noexcept;

  // Files with several names get their flags at the end: no further name could be given to them with these. Any thread.
  void add_late_flags(std::shared_ptr<Directory> directory, const std::string& name, std::uint32_t flags);
  // Once, at the end.
  void set_late_flags();

 private:
  void write_block(unsigned worker, std::span<const Segment> block);
  [[nodiscard]] std::optional<ByteView> fetch(unsigned worker, const repo::Location& chunk);
  void rescue(unsigned worker, const Segment& segment);
  void write_piece(FileTask& task, ByteView bytes, std::uint64_t offset);
  void release(FileTask& task, std::uint64_t parts);
  void open_file(FileTask& task);
  void close_early(FileTask& task);
  void close(FileTask& task) noexcept;
  void finish(FileTask& task);
  std::string complete(FileTask& task);
  void report_loss(FileTask& task);

  Run& run_;
  std::vector<std::unique_ptr<repo::BlockFetcher>> fetchers_;   // one a worker
  std::vector<std::unique_ptr<tree::ChunkReader>> rescuers_;  // the same, once needed
  std::atomic<std::size_t> open_files_{0};
  struct LateFlags {
    std::shared_ptr<Directory> directory;
    std::string name;
    std::uint32_t flags;
  };
  std::mutex late_mutex_;
  std::vector<LateFlags> late_flags_;
};

}  // namespace mbu::ops
