// backup: paths, or one stream, into a snapshot.
//
// Order of what becomes durable: packs, index, snapshot; a run that ends before its snapshot leaves whole packs that the next run
// finds and uses. Nothing is published that refers to a chunk which is not in a listed pack.
#pragma once

#include <memory>

#include "ingest/dirty.hpp"
#include "ingest/hard_links.hpp"
#include "mbu/types/options.hpp"
#include "repo/context.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

// Snapshots of the same paths one after the other, each based on the one before: what lies in the repository is looked at once. An exception
// ends one snapshot and not the series, unless a sync failed. One thread.
class BackupSeries {
 public:
  // `own_directories`: of mbu itself, never packaged. Everything must outlive the series.
  BackupSeries(const repo::Context& context, const BackupOptions& options, const std::vector<std::string>& own_directories);
  BackupSeries(BackupSeries&&) noexcept;
  ~BackupSeries();

  // `dirty`: the directories to look at, all others are as they were in the snapshot before; null: all. Throws when nothing was
  // published; problems with single files are events.
  BackupSummary snapshot(const ingest::Dirty* dirty);
  // The same, but nothing is published when nothing has changed since the snapshot before.
  BackupSummary snapshot_if_changed(const ingest::Dirty* dirty);
  // From now on told of files with several names. Must outlive the series.
  void tell(ingest::HardLinks& hard_links);
  // The next snapshot looks at what the repository holds first.
  void look_again() noexcept;
  // The options' selection is another one from now on; files of patterns are read again.
  void select_anew() noexcept;
  // The one that the next is based on. After a snapshot.
  [[nodiscard]] const repo::StoredSnapshot& last() const noexcept;
  // After a snapshot: from now on what the next one needs of the one before is kept in the cache, so that it takes no key of the owner. The
  // first time ever this reads all pages of the snapshot.
  void keep_pages();
  // What keep_pages() keeps goes to disk.
  void write_back();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One snapshot.
[[nodiscard]] BackupSummary backup(const repo::Context& context, const BackupOptions& options,
                                   const std::vector<std::string>& own_directories);

}  // namespace mbu::ops
