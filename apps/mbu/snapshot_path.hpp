// SNAP[:PATH] as the commands take it. Pure; any thread.
#pragma once

#include <string>

namespace mbu::cli {

struct SnapshotPath {
  std::string snapshot;
  std::string path;        // absolute within the snapshot; empty for the whole
  bool has_path = false;   // there was a colon
};

// Code::usage when SNAP is empty or PATH goes up by "..".
[[nodiscard]] SnapshotPath parse_snapshot_path(const std::string& text);

}  // namespace mbu::cli
