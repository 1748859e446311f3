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

struct DirectoryTask {
  std::shared_ptr<DirectoryTask> parent;  // null: the root
  std::size_t position = 0;               // of it among the parent's items
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
  bool same_listing = false;                     // as recorded
  bool patched = false;                          // not listed: `items` are subdirectories to be looked at, all else stays
  std::atomic<std::size_t> waiting_children{0};  // while same_listing or patched
  std::vector<DirectoryResult> old_children;     // of the items, when patched

  std::vector<std::unique_ptr<Group>> groups;
  std::atomic<std::size_t> waiting_groups{0};

  std::mutex mutex;  // guards what follows
  std::map<std::size_t, DirectoryResult> children;  // by position
  std::map<std::size_t, PackedFile> packed_files;
  std::map<std::size_t, Error> failures;            // items that could not be read
  bool incomplete = false;                          // something in it must be looked at again next time
};

}  // namespace mbu::ingest
