// Snapshots (FORMAT.md §10). Strings are what the machine gave: any bytes, escaped by whoever prints them.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "mbu/types/ids.hpp"

namespace mbu::format {

// Problems that a snapshot describes; more are only counted.
inline constexpr std::size_t kMostProblems = 1000;

struct SnapshotProblem {
  std::string path;  // raw bytes
  std::string message;
  bool operator==(const SnapshotProblem&) const = default;
};

struct Snapshot {
  InstanceId instance;
  std::uint64_t number = 1;            // from 1, of the instance's objects
  std::optional<ObjectName> previous;  // the instance's object before; none: this is number 1
  std::optional<ObjectName> base;      // the snapshot whose pages it reuses
  std::optional<ObjectName> honoured;  // the tombstone set it honours
  std::vector<ObjectName> statements;  // heads known to the writer
  FileTime time;
  std::int64_t started_ns = 0;   // since 1970
  std::int64_t finished_ns = 0;  // since 1970
  std::string host;
  std::string user;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::string> paths;  // absolute, ascending strictly by bytes
  std::vector<std::string> tags;
  std::vector<std::string> excludes;
  std::string program;
  ChunkId root;  // the root page of /
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t bytes = 0;
  std::uint64_t stored_bytes = 0;   // added to the store by this run, this object not counted
  std::uint64_t problem_count = 0;  // at least problems.size()
  std::vector<SnapshotProblem> problems;  // at most kMostProblems
  std::vector<ObjectName> packs_added;
  std::vector<ObjectName> packs_removed;
  bool operator==(const Snapshot&) const = default;
};

// Preconditions: what the members say.
[[nodiscard]] ByteBuffer encode_snapshot(const Snapshot& snapshot);
// Throws Code::corrupt.
[[nodiscard]] Snapshot decode_snapshot(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
