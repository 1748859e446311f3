// What all parts of one restore share; private to restore/.
#pragma once

#include <atomic>

#include "ops/restore/directories.hpp"
#include "ops/restore/metadata.hpp"
#include "repo/chunk_index.hpp"
#include "repo/context.hpp"

namespace mbu::ops {

// How a file is marked that is being written under its own name (see writer.cpp): no file of anybody's looks like this.
inline constexpr std::uint16_t kUnfinishedMode = 01600;
// A file being written beside what it will replace: this and 16 hex digits.
inline constexpr std::string_view kTemporaryPrefix = ".mbu-restore-";
[[nodiscard]] bool is_temporary_name(std::string_view name) noexcept;

struct Counters {
  std::atomic<std::uint64_t> files_total{0}, bytes_total{0};
  std::atomic<std::uint64_t> files_restored{0}, bytes_restored{0};
  std::atomic<std::uint64_t> files_unchanged{0}, bytes_unchanged{0}, files_deleted{0}, files_extra{0}, files_kept{0};
  std::atomic<std::uint64_t> files_done{0}, bytes_done{0}, problems{0};
  std::atomic<bool> damaged{false};
};

// Any thread.
class Run {
 public:
  // References must outlive it. `totals`: what progress goes up to; nothing: as much as was seen.
  struct Totals {
    std::uint64_t files = 0, bytes = 0;
  };
  Run(const repo::Context& context, const repo::ChunkIndex& index, const RestoreOptions& options, Directories& directories,
      std::optional<Totals> totals)
      : context_(context),
        index_(index),
        options_(options),
        directories_(directories),
        metadata_(options.restore_owner),
        totals_(totals) {}

  [[nodiscard]] const repo::Context& context() const noexcept { return context_; }
  [[nodiscard]] const repo::ChunkIndex& index() const noexcept { return index_; }
  [[nodiscard]] const RestoreOptions& options() const noexcept { return options_; }
  [[nodiscard]] Directories& directories() const noexcept { return directories_; }
  [[nodiscard]] const MetadataSetter& metadata() const noexcept { return metadata_; }
  [[nodiscard]] Counters& counters() noexcept { return counters_; }

  // `place`: of the target.
  void kept(const std::string& place, const std::string& message);
  void not_restored(const std::string& place, const std::string& message);
  // `path`: in the snapshot.
  void damaged(const std::string& path, const Error& error);
  // An error met at one place of the target. What is not that place's own, and a target that is full, ends the run: thrown.
  void failed_at(const std::string& place, const Error& error);

  // A file is done with, restored or not.
  void done(const format::Entry& entry, const std::string& path);

 private:
  const repo::Context& context_;
  const repo::ChunkIndex& index_;
  const RestoreOptions& options_;
  Directories& directories_;
  MetadataSetter metadata_;
  std::optional<Totals> totals_;
  Counters counters_;
};

// Whether what the repository gave is damaged or missing, which costs only the files it is part of.
[[nodiscard]] inline bool is_damage(const Error& error) noexcept {
  return error.code() == Code::corrupt || error.code() == Code::not_found;
}
// Of the repository: what is hit is `path`.
[[nodiscard]] std::string damage_message(const std::string& path, const Error& error);

// Whether the policy lets the entry take the place of what is there and differs.
[[nodiscard]] bool may_replace(RestoreOptions::Overwrite overwrite, const format::Entry& entry, const os::FileStatus& there);
// Why not, for a message.
[[nodiscard]] std::string why_kept(RestoreOptions::Overwrite overwrite);

}  // namespace mbu::ops
