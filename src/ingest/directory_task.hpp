// The state of one directory while it is packaged; private to ingest/.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "cache/cache.hpp"
#include "format/page.hpp"
#include "ingest/dirty.hpp"
#include "ingest/file_packer.hpp"

namespace mbu::tree {
class TreeReader;
}

namespace mbu::ingest {

// What a directory tells its parent when it is done.
struct DirectoryResult {
  ChunkId page;  // zero: could not be read
  std::uint64_t files = 0, directories = 0, bytes = 0;  // of the subtree, itself not counted
  bool operator==(const DirectoryResult&) const = default;
};

// A run of entries that become one leaf page (two or more when they turn out too large).
struct Group {
  std::size_t begin = 0, end = 0;  // of the items
  std::atomic<std::size_t> waiting{1};  // for subdirectories, files packed by tasks of their own, and its own preparation
  std::vector<format::PageChild> pages;
};

// What becomes of a directory: how its page comes about.
enum class Course {
  grouped,   // listed; its entries form groups, and each group its page
  compared,  // listed just as recorded: its page is taken over if all subdirectories stay as they were. Else it is grouped, and nothing
             // is left to wait for.
  patched,   // not listed: `items` are subdirectories to be looked at, all else stays
};

struct DirectoryTask {
  std::shared_ptr<DirectoryTask> parent;  // null: the root
  std::size_t position = 0;               // of it among the parent's items
  std::size_t depth = 0;                  // directories above it
  std::string path;
  crypto::Digest path_key{};

  std::optional<ChunkId> previous;  // its root page in the base snapshot
  std::optional<cache::DirectoryRecord> record;  // of that page

  std::shared_ptr<source::Directory> handle;
  std::vector<source::Item> items;               // by name
  std::vector<std::uint64_t> fingerprints;       // of the items
  crypto::Digest fingerprint{};
  const Dirty::Node* dirty = nullptr;            // what of it is to be looked at; null: it and all below
  DirectoryResult old;                           // what it was in the base snapshot, unless dirty is null
  Course course = Course::grouped;
  std::atomic<std::size_t> waiting_children{0};  // while there are no groups: subdirectories to come, and the start of the last of them
  std::vector<DirectoryResult> old_children;     // of the items, when patched

  std::vector<std::unique_ptr<Group>> groups;
  std::atomic<std::size_t> waiting_groups{0};

  std::mutex mutex;  // guards what follows
  std::map<std::size_t, DirectoryResult> children;  // by position
  std::map<std::size_t, PackedFile> packed_files;
  std::map<std::size_t, Error> failures;            // items that could not be read
  bool incomplete = false;                          // something in it must be looked at again next time
};

[[nodiscard]] std::string child_path(const DirectoryTask& directory, const std::string& name);
// What the entry says of its directory.
[[nodiscard]] DirectoryResult result_of(const format::Entry& directory);
// What has been packaged of it, under that root page. When all children are done.
[[nodiscard]] DirectoryResult totals(const DirectoryTask& directory, const ChunkId& page);

// Whether the record of the directory knows an item just as it is now: by its fingerprint, or by its position among the items that were listed.
[[nodiscard]] bool has_recorded(const DirectoryTask& directory, std::uint64_t fingerprint) noexcept;
[[nodiscard]] bool is_recorded(const DirectoryTask& directory, std::size_t position) noexcept;
// Whether what a .gitignore in it says of all below may have changed: it came, has changed, or was in the base snapshot and is
// gone. One that is left out itself is not seen.
[[nodiscard]] bool selects_anew(const DirectoryTask& directory, tree::TreeReader& reader);
// Whether a subdirectory that was packaged before is clean: nothing named it, and it is the very one that was listed, as far as the cache can
// tell.
[[nodiscard]] bool is_taken_over(const DirectoryTask& directory, std::size_t position);
// What of a subdirectory is to be looked at; null: all.
[[nodiscard]] const Dirty::Node* dirt_of_child(const DirectoryTask& directory, std::size_t position);

}  // namespace mbu::ingest
