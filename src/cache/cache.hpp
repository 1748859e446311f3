// Cache: what this machine remembers of a repository to be faster, in an SQLite database that can be deleted, cut, or filled
// with garbage at any time. It is never the truth: every record carries a keyed checksum and names what it speaks of, so
// that a wrong one is no record. No method fails: a cache that does not work is an empty one.
//
// Bound to repository and credential by its key. Safe from any thread; several processes may use the same file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/location_tables.hpp"
#include "cache/pages.hpp"

namespace mbu::cache {

// What a directory looked like when its listing was last packaged.
struct DirectoryRecord {
  ChunkId page;               // root page of its listing then
  crypto::Digest fingerprint{};  // over all entry fingerprints in name order; zero: do not trust
  std::uint64_t files = 0;    // totals of the subtree
  std::uint64_t directories = 0;
  std::uint64_t bytes = 0;
  std::vector<ChunkId> child_pages;         // of its directories, in name order
  std::vector<std::uint64_t> fingerprints;  // one an entry, ascending; 0: an entry that must be read again
};

class Cache {
 public:
  // `directory`: where the database lies; made when missing. `key`: a secret of the credential.
  // Text for the user comes through `warn`, at most once.
  Cache(std::string directory, const crypto::Key& key, std::function<void(const std::string&)> warn);
  // One that remembers nothing.
  Cache();
  ~Cache();

  // `path_key`: a hash that names a directory and how it was selected. Other processes cannot commit between a find and the next
  // end_reads() or commit(), or some hundred finds.
  [[nodiscard]] std::optional<DirectoryRecord> find_directory(const crypto::Digest& path_key);
  // May be kept back until commit().
  void put_directory(const crypto::Digest& path_key, const DirectoryRecord& record);

  // From now on records stay in memory until there are so many, or write_back(): for who puts the same few again and again. Those that
  // a crash takes away make the next run slower. To be called before other threads use the cache.
  void keep_back(std::size_t most);
  void write_back();

  // The pages that a series of snapshots keeps; `series` names it. Must not outlive this.
  [[nodiscard]] std::unique_ptr<Pages> open_pages(const crypto::Digest& series, Pages::Unwritten unwritten = Pages::Unwritten::stays);

  void end_reads();
  void commit();

  // Where a domain's chunks lie; null for a cache that remembers nothing. Valid as long as this.
  [[nodiscard]] const LocationTables* location_tables(const DomainId& domain) const;

 private:
  struct Kept;
  std::unique_ptr<Kept> kept_;
};

}  // namespace mbu::cache
