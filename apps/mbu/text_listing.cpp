// The listings of TextView: snapshots, ls, diff.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
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
  std::string host = printable(snapshot.host);
  if (!snapshot.own) host += " by " + (snapshot.writer_name.empty() ? snapshot.writer.hex().substr(0, 8) : printable(snapshot.writer_name));
  return {snapshot.name.hex().substr(0, 8), format_local_time(snapshot.time_s), host,
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

void write_table(Output& output, const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  for (const auto& row : rows) output.line(line_of(row, widths));
}

std::string short_id(const ObjectName& id) { return id.hex().substr(0, 8); }

std::string owner(const std::string& name, std::uint32_t id) { return name.empty() ? std::to_string(id) : printable(name); }

std::string size_or_device(const EntryInfo& entry) {
  const bool device = entry.type == EntryType::character_device || entry.type == EntryType::block_device;
  return device ? fmt::format("{}, {}", entry.device_major, entry.device_minor) : std::to_string(entry.size);
}

}  // namespace

void TextView::snapshots(const std::vector<SnapshotInfo>& list) {
  std::vector<Row> rows{{"ID", "Time", "Host", "Tags", "Size", "Paths"}};
  for (const auto& snapshot : list) rows.push_back(row_of(snapshot));
  write_table(output_, rows);
  output_.line(format_counted(list.size(), "snapshot"));
}

void TextView::forgotten(const ForgetPlan& plan, bool dry_run) {
  std::vector<Row> rows{{"ID", "Time", "Host", "Tags", "Kept as", "Paths"}};
  std::uint64_t kept = 0, gone = 0;
  const auto add = [&](const SnapshotInfo& snapshot, std::string reason) {
    rows.push_back(row_of(snapshot));
    rows.back()[4] = std::move(reason);
  };
  for (const auto& group : plan.groups) {
    for (const auto& [snapshot, reasons] : group.keep) add(snapshot, joined(reasons));
    for (const auto& snapshot : group.forget) add(snapshot, "-");
    kept += group.keep.size();
    gone += group.forget.size();
  }
  if (!quiet_ && rows.size() > 1) write_table(output_, rows);
  tell(fmt::format("{} {}{}", dry_run ? "would forget" : "forgot", format_counted(gone, "snapshot"),
                   kept > 0 ? ", " + format_count(kept) + " kept" : ""));
}

void TextView::credentials(const std::vector<CredentialInfo>& all) {
  std::vector<Row> rows{{"ID", "Name", "Role", "Stretched by", "Made", "Domain"}};
  for (const auto& c : all) {
    const std::string passes = c.passes == 1 ? "1 pass" : std::to_string(c.passes) + " passes";
    const std::string kdf = c.kdf == Kdf::argon2id ? fmt::format("argon2id {} MiB, {}", c.memory_kib / 1024, passes)
                            : c.kdf == Kdf::pbkdf2 ? fmt::format("pbkdf2 {} rounds", format_count(c.passes))
                                                   : "a security key";
    rows.push_back({short_id(c.id) + (c.current ? "*" : ""), printable(c.name), role_name(c.role), c.present ? kdf : "(missing)",
                    c.present ? format_local_time(c.created_s) : "",
                    c.with_owner || !c.domain ? "main" : c.domain->hex().substr(0, 8)});
  }
  write_table(output_, rows);
  tell("* opened the repository this time");
}

void TextView::credential(const CredentialReport& report) {
  const std::string name = printable(report.info.name) + " (" + short_id(report.info.id) + ")";
  switch (report.change) {
    case CredentialReport::Change::added:
      tell("added the password " + name);
      break;
    case CredentialReport::Change::changed:
      tell("changed the password " + name);
      tell("whoever has a copy of the repository from before can open that with the old one");
      break;
    case CredentialReport::Change::removed:
      tell("removed " + name);
      if (report.info.role == CredentialInfo::Role::writer) {
        tell("what it has published so far stays; what it publishes from now on does not count");
      } else {
        tell("whoever has a copy of the repository from before can open that with it");
      }
      break;
    case CredentialReport::Change::admitted:
      tell("admitted the writer " + name);
      tell("its credential: " + printable(report.file));
      tell("move it to that machine, and keep it from others; there:");
      tell("  " + report.use);
      break;
  }
}

void TextView::rotated(const Rotation& rotation) {
  std::string names;
  for (const auto& info : rotation.granted) names += (names.empty() ? "" : ", ") + printable(info.name);
  tell(fmt::format("generation {} of the keys; it was given to {}", rotation.generation, names));
  tell("what is written from now on is named and sealed under it; what is there stays as it is, and readable");
  tell("it protects new data from whoever copied a credential that is removed now, or keys of an earlier generation");
  tell("it does not protect from whoever has ever had a password or recovery sheet of the owner's and a slot that it opens: all generations "
       "come from the secret in it, and only a new repository helps");
}

void TextView::session_unlocked(std::int64_t seconds, const std::string& lock) {
  if (seconds == 0) {
    tell("the desktop keeps the password from now on; to end that:");
  } else {
    tell(fmt::format("unlocked for this login session until {}; to end that before:", format_local_time(std::time(nullptr) + seconds)));
  }
  tell("  " + lock);
}

void TextView::session_locked(bool was_unlocked) { tell(was_unlocked ? "locked" : "it was not unlocked"); }

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
