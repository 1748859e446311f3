#include "snapshot_path.hpp"

#include <filesystem>

#include "mbu/types/error.hpp"

namespace mbu::cli {

SnapshotPath parse_snapshot_path(const std::string& text) {
  const auto colon = text.find(':');
  SnapshotPath parsed;
  parsed.snapshot = text.substr(0, colon);
  parsed.has_path = colon != std::string::npos;
  if (parsed.snapshot.empty()) throw Error(Code::usage, "'" + text + "' names no snapshot", {}, "for example: latest:/home");
  if (!parsed.has_path) return parsed;
  for (const auto& part : std::filesystem::path(text.substr(colon + 1))) {
    if (part == "..") throw Error(Code::usage, "a path within a snapshot has no \"..\"", text);
    if (!part.empty() && part != "." && part != "/") parsed.path += "/" + part.string();
  }
  if (parsed.path.empty()) parsed.path = "/";
  return parsed;
}

}  // namespace mbu::cli
