// The listings of TextView: snapshots, ls, diff.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "entries.hpp"
#include "escape.hpp"
#include "text_view.hpp"
#include "units.hpp"

namespace mbu::cli {
namespace {

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + printable(word);
  return text;
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t columns = columns_of(text);
  return columns < width ? text + std::string(width - columns, ' ') : text;
}

Row row_of(const SnapshotInfo& snapshot) {
  std::string size = format_bytes(snapshot.bytes);
  if (snapshot.problem_count > 0) size += " (incomplete)";
  return {snapshot.name.hex().substr(0, 8), format_local_time(snapshot.time_s), printable(snapshot.host),
          joined(snapshot.tags), size, joined(snapshot.paths)};
}

std::string line_of(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const bool last = i + 1 == kColumns;
    line += last ? row[i] : padded(row[i], widths[i]) + "  ";
  }
  return line;
}

std::string owner(const std::string& name, std::uint32_t id) { return name.empty() ? std::to_string(id) : printable(name); }

std::string size_or_device(const EntryInfo& entry) {
  const bool device = entry.type == EntryType::character_device || entry.type == EntryType::block_device;
  return device ? fmt::format("{}, {}", entry.device_major, entry.device_minor) : std::to_string(entry.size);
}

}  // namespace

void TextView::snapshots(const std::vector<SnapshotInfo>& list) {
  const Row header{"ID", "Time", "Host", "Tags", "Size", "Paths"};
  std::vector<Row> rows{header};
  for (const auto& snapshot : list) rows.push_back(row_of(snapshot));
  std::array<std::size_t, kColumns> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  for (const auto& row : rows) output_.line(line_of(row, widths));
  output_.line(format_counted(list.size(), "snapshot"));
}

void TextView::listing_begins(const SnapshotInfo&) {}

void TextView::entry(const EntryInfo& entry, bool long_form) {
  std::string name = printable(entry.path);
  if (long_form) {
    if (entry.type == EntryType::symlink) name += " -> " + printable(entry.link_target);
    name = fmt::format("{} {:<8} {:<8} {:>12} {} {}", permissions_of(entry), owner(entry.user, entry.uid),
                       owner(entry.group, entry.gid), size_or_device(entry), format_local_time(entry.mtime_s), name);
  }
  output_.line(name);
  if (entry.unreadable) warning(entry.path + ": its listing could not be read when it was packaged");
}

void TextView::diff_begins(const SnapshotInfo& from, const SnapshotInfo& to) {
  note(fmt::format("comparing {} with {}", from.name.hex().substr(0, 8), to.name.hex().substr(0, 8)));
}

void TextView::difference(const DiffLine& line) {
  const char* const slash = line.type == EntryType::directory && !line.path.ends_with('/') ? "/" : "";
  output_.line(fmt::format("{:<4} {}{}", modifier_of(line.kind), printable(line.path), slash));
}

void TextView::diff_done(const SnapshotInfo&, const SnapshotInfo&, const DiffSummary& summary) {
  if (quiet_) return;
  output_.line("");
  output_.line(fmt::format("Files: {:>8} new, {:>8} removed, {:>8} changed", format_count(summary.files_added),
                           format_count(summary.files_removed), format_count(summary.files_changed)));
  output_.line(fmt::format("Dirs:  {:>8} new, {:>8} removed", format_count(summary.dirs_added),
                           format_count(summary.dirs_removed)));
  output_.line(fmt::format("Added: {}  Removed: {}", format_bytes(summary.bytes_added), format_bytes(summary.bytes_removed)));
}

}  // namespace mbu::cli
