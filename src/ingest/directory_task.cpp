#include "ingest/directory_task.hpp"

#include <algorithm>

#include "tree/reader.hpp"

namespace mbu::ingest {

std::string child_path(const DirectoryTask& directory, const std::string& name) {
  std::string path = directory.path;
  if (path != "/") path += '/';
  return path += name;
}

DirectoryResult result_of(const format::Entry& directory) {
  return {directory.directory, directory.directory_files, directory.directory_dirs, directory.directory_bytes};
}

DirectoryResult totals(const DirectoryTask& directory, const ChunkId& page) {
  DirectoryResult result{page, 0, 0, 0};
  for (const auto& item : directory.items) {
    if (item.status.type == EntryType::directory) continue;
    ++result.files;
    if (item.status.type == EntryType::regular) result.bytes += item.status.size;
  }
  for (const auto& [position, error] : directory.failures) {
    const auto& status = directory.items[position].status;
    if (status.type != EntryType::directory) --result.files;
    if (status.type == EntryType::regular) result.bytes -= status.size;
  }
  for (const auto& [position, child] : directory.children) {
    result.files += child.files;
    result.directories += child.directories + 1;
    result.bytes += child.bytes;
  }
  return result;
}

bool has_recorded(const DirectoryTask& directory, std::uint64_t fingerprint) noexcept {
  return directory.record && fingerprint != 0 && std::ranges::binary_search(directory.record->fingerprints, fingerprint);
}

bool is_recorded(const DirectoryTask& directory, std::size_t position) noexcept {
  return has_recorded(directory, directory.fingerprints[position]);
}

bool selects_anew(const DirectoryTask& directory, tree::TreeReader& reader) {
  constexpr std::string_view kRules = ".gitignore";
  if (directory.dirty == nullptr) return false;
  const auto& items = directory.items;
  const auto rules = std::ranges::lower_bound(items, kRules, {}, [](const auto& item) { return std::string_view(item.name); });
  if (rules != items.end() && rules->name == kRules) return !is_recorded(directory, static_cast<std::size_t>(rules - items.begin()));
  try {
    return directory.previous && reader.find_in(*directory.previous, directory.path, std::string(kRules)).has_value();
  } catch (const Error& error) {
    if (!tree::is_unreadable(error)) throw;
    return true;
  }
}

bool is_taken_over(const DirectoryTask& directory, std::size_t position) {
  const bool clean = directory.dirty != nullptr && directory.dirty->child(directory.items[position].name) == nullptr;
  return clean && (!directory.record || is_recorded(directory, position));
}

const Dirty::Node* dirt_of_child(const DirectoryTask& directory, std::size_t position) {
  static const Dirty::Node listing{true, false, {}};
  if (directory.dirty == nullptr) return nullptr;
  const auto* child = directory.dirty->child(directory.items[position].name);
  return child == nullptr ? &listing : child;
}

}  // namespace mbu::ingest
