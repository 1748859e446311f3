// What mbu's operations answer. Plain values. Paths and names are raw bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mbu/types/events.hpp"
#include "mbu/types/ids.hpp"

namespace mbu {

struct InitResult {
  RepositoryId id;
  std::string location;
  std::string slot;      // the slot's object name
};

struct BackupSummary {
  std::optional<ObjectName> snapshot;  // none: dry run, or skipped because unchanged
  std::optional<ObjectName> parent;    // the snapshot compared with
  std::uint64_t files_new = 0, files_changed = 0, files_unmodified = 0;   // everything that is not a directory
  std::uint64_t dirs_new = 0, dirs_changed = 0, dirs_unmodified = 0;
  std::uint64_t total_files = 0, total_dirs = 0, total_bytes = 0;         // in the snapshot
  std::uint64_t bytes_read = 0;        // of files' contents
  std::uint64_t data_blobs = 0, tree_blobs = 0;                           // new chunks, new pages
  std::uint64_t data_added = 0;        // new chunks and pages before compression
  std::uint64_t data_added_packed = 0; // bytes added to the store, everything counted
  std::uint64_t problems = 0;          // told as events; the snapshot is incomplete when not 0
  std::int64_t started_ns = 0, finished_ns = 0;                           // since 1970, by the wall clock
  double seconds = 0;                  // by a clock that nobody sets
};

struct SnapshotInfo {
  ObjectName name;
  std::optional<ObjectName> parent;    // its base
  std::int64_t time_s = 0;
  std::uint32_t time_ns = 0;
  std::int64_t started_ns = 0, finished_ns = 0;  // since 1970: of the packaging, whatever time was given to the snapshot
  std::string host, user;
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::string> paths, tags, excludes;
  std::string program;
  PublicKey writer;
  std::string writer_name;             // as the owner admitted him
  bool own = true;                     // by the writer that goes with the keys in use
  DomainId domain;                     // through whose packs alone it resolves
  InstanceId instance;
  std::uint64_t number = 0;
  std::uint64_t files = 0, directories = 0, bytes = 0, stored_bytes = 0, problem_count = 0;
  std::vector<std::pair<std::string, std::string>> problems;  // path, message: the first 1,000
  ChunkId root;
};

// What `forget` keeps and lets go. Snapshots stand newest first.
struct ForgetPlan {
  struct Kept {
    SnapshotInfo snapshot;
    std::vector<std::string> reasons;  // "hourly", "within 7d", "tag", "pinned"
  };
  struct Group {
    PublicKey writer;
    std::string host;                  // of these three, what it was not grouped by is empty
    std::vector<std::string> paths, tags;
    std::vector<Kept> keep;
    std::vector<SnapshotInfo> forget;
  };
  std::vector<Group> groups;
};

enum class EntryType : std::uint8_t {
  directory = 1, regular = 2, symlink = 3, fifo = 4, socket = 5, character_device = 6, block_device = 7
};

// One entry of a snapshot's tree as `ls` shows it.
struct EntryInfo {
  std::string path;       // absolute within the snapshot
  std::string name;
  EntryType type = EntryType::regular;
  std::uint32_t mode = 0;  // the twelve permission bits
  std::uint32_t uid = 0, gid = 0;
  std::string user, group;
  std::uint64_t size = 0;
  std::int64_t mtime_s = 0;
  std::uint32_t mtime_ns = 0;
  std::string link_target;
  std::uint32_t device_major = 0, device_minor = 0;
  bool unreadable = false;  // a directory whose listing is not in the snapshot
};

struct RestoreSummary {
  ObjectName snapshot;
  std::string target;               // where it went
  std::uint64_t files_total = 0, bytes_total = 0;
  std::uint64_t files_restored = 0, bytes_restored = 0;
  std::uint64_t files_unchanged = 0, bytes_unchanged = 0;  // were there already with equal content
  std::uint64_t files_deleted = 0;
  std::uint64_t files_extra = 0;    // there, but not in the snapshot
  std::uint64_t files_kept = 0;     // differ and were left alone
  std::uint64_t problems = 0;       // told as events, kept files and damage included
  bool damaged = false;             // some of it because the repository is damaged
  double seconds = 0;
};

struct DiffLine {
  enum class Kind { added, removed, content, metadata, type };
  Kind kind = Kind::added;
  std::string path;
  EntryType type = EntryType::regular;
};

// As restic counts: changed is what has other content, not what has another type or other metadata.
struct DiffSummary {
  std::uint64_t files_added = 0, files_removed = 0, files_changed = 0;
  std::uint64_t dirs_added = 0, dirs_removed = 0;
  std::uint64_t bytes_added = 0, bytes_removed = 0;
};

struct CheckReport {
  struct Finding {
    std::string object;    // "data/ab/…", "config", or a path within a snapshot
    std::string message;
    bool is_note = false;     // worth telling, and no damage
    bool never_seen = false;  // missing, and this machine never saw it: may be on its way
  };
  std::vector<Finding> damage;        // exit 20
  std::vector<std::string> notes;     // e.g. packs no index names
  std::uint64_t objects = 0, packs_read = 0, snapshots = 0, bytes_read = 0;
  double seconds = 0;
};

}  // namespace mbu
