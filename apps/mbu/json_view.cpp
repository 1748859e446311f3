#include "json_view.hpp"

#include <algorithm>

#include "entries.hpp"
#include "escape.hpp"
#include "json_values.hpp"

namespace mbu::cli {
namespace {

constexpr auto kStatusInterval = std::chrono::milliseconds(333);

const char* during(Activity activity) {
  switch (activity) {
    case Activity::backup: return "archival";
    case Activity::restore: return "restore";
    case Activity::check: return "check";
    case Activity::none: break;
  }
  return "reading";
}

double fraction(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

JsonView::JsonView(Output& output, const GlobalFlags& flags)
    : output_(output), show_progress_(!flags.quiet && !flags.no_progress) {}

// Programs read line by line while the command runs: each goes out at once.
void JsonView::line(const Json& object) {
  output_.line(one_line(object));
  output_.flush();
}

void JsonView::begin(Activity activity) {
  activity_ = activity;
  started_ = Clock::now();
  any_shown_ = false;
  last_ = {};
}

void JsonView::show_progress(const Progress& progress) {
  last_ = progress;
  const auto now = Clock::now();
  if (any_shown_ && now - shown_ < kStatusInterval) return;
  shown_ = now;
  any_shown_ = true;
  show_status();
}

void JsonView::show_status() {
  if (!show_progress_) return;
  Json object;
  object["message_type"] = "status";
  object["seconds_elapsed"] = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started_).count();
  const double done = last_.bytes_total > 0 ? fraction(last_.bytes_done, last_.bytes_total)
                                            : fraction(last_.files_done, last_.files_total);
  object["percent_done"] = done;
  object["total_files"] = last_.files_total;
  object["files_done"] = last_.files_done;
  object["total_bytes"] = last_.bytes_total;
  object["bytes_done"] = last_.bytes_done;
  if (activity_ == Activity::restore) {
    object["files_restored"] = last_.files_restored;
    object["files_skipped"] = last_.files_unchanged;
    object["bytes_restored"] = last_.bytes_restored;
    object["bytes_skipped"] = last_.bytes_unchanged;
  }
  object["error_count"] = problems();
  if (!last_.current.empty()) put_names(object, "current_files", {last_.current});
  output_.offer_line(one_line(object));
}

void JsonView::end_status(const Progress& end) {
  last_ = end;
  show_status();
}

void JsonView::show_problem(const Problem& problem) {
  Json object;
  object["message_type"] = "error";
  object["error"] = {{"message", lossy_utf8(problem.message)}};
  object["during"] = during(activity_);
  put_name(object, "item", problem.path);
  switch (problem.kind) {
    case Problem::Kind::unreadable: object["kind"] = "unreadable"; break;
    case Problem::Kind::changed: object["kind"] = "changed"; break;
    case Problem::Kind::kept: object["kind"] = "kept"; break;
    case Problem::Kind::not_restored: object["kind"] = "not_restored"; break;
    case Problem::Kind::damaged: object["kind"] = "damaged"; break;
  }
  if (activity_ == Activity::none) return write_to_error(one_line(object) + '\n');  // a listing is one array, or nodes only
  output_.offer_line(one_line(object));
}

void JsonView::warning(const std::string& text) {
  write_to_error(one_line({{"message_type", "warning"}, {"message", lossy_utf8(text)}}) + '\n');
}

void JsonView::note(const std::string&) {}

namespace {

Json exit_error(int status, const std::string& message) {
  return {{"message_type", "exit_error"}, {"code", status}, {"message", lossy_utf8(message)}};
}

}  // namespace

void JsonView::incomplete(int status) {
  const bool damage = status == exit_status(Code::corrupt);
  write_to_error(one_line(exit_error(status, damage ? "damage was found" : "done, but incomplete: what is missing was named")) + '\n');
}

void JsonView::failed(const Error& error, int status) {
  Json object = exit_error(status, error.what());
  if (!error.next().empty()) object["next"] = lossy_utf8(error.next());
  write_to_error(one_line(object) + '\n');
}

void JsonView::made(const InitResult& result) {
  Json object;
  object["message_type"] = "initialized";
  object["id"] = result.id.hex();
  put_name(object, "repository", result.location);
  line(object);
}

void JsonView::backup_done(const BackupReport& report) {
  const auto files = report.summary.total_files;
  const auto bytes = report.summary.total_bytes;
  end_status({files, bytes, files, bytes, true, {}});
  Json object = backup_value(report.summary);
  if (report.dry_run) object["dry_run"] = true;
  put_name(object, "repository", report.location);
  if (!report.left_out.empty()) put_names(object, "left_out", report.left_out);
  if (!report.restore_command.empty()) object["restore_command"] = lossy_utf8(report.restore_command);
  line(object);
}

void JsonView::watching(const WatchReport& report) {
  Json object;
  object["message_type"] = "ready";
  object["feed"] = report.feed;
  put_names(object, "paths", report.paths);
  put_name(object, "repository", report.location);
  object["keeps_owner"] = report.keeps_owner;
  line(object);
}

void JsonView::change(std::uint64_t directories) { line({{"message_type", "change"}, {"directories", directories}}); }

void JsonView::watched(const BackupSummary& summary) { line(backup_value(summary)); }

void JsonView::watch_state() {}

void JsonView::watchers(const std::vector<WatcherStatus>& all) {
  Json array = Json::array();
  for (const auto& watcher : all) array.push_back(watcher_value(watcher));
  output_.line(one_line(array));
}

void JsonView::restore_begins(const SnapshotInfo&, const std::string&, const std::string&) {}

void JsonView::restore_done(const RestoreReport& report) {
  const RestoreSummary& s = report.summary;
  end_status({s.files_total, s.bytes_total, s.files_total, s.bytes_total, true, {}, s.files_restored, s.bytes_restored,
              s.files_unchanged, s.bytes_unchanged});
  Json object;
  object["message_type"] = "summary";
  object["seconds_elapsed"] = static_cast<std::uint64_t>(s.seconds);
  object["total_files"] = s.files_total;
  object["files_restored"] = s.files_restored;
  object["files_skipped"] = s.files_unchanged;
  object["files_deleted"] = s.files_deleted;
  object["files_extra"] = s.files_extra;
  object["files_kept"] = s.files_kept;
  object["total_bytes"] = s.bytes_total;
  object["bytes_restored"] = s.bytes_restored;
  object["bytes_skipped"] = s.bytes_unchanged;
  object["total_duration"] = s.seconds;
  object["problems"] = s.problems;
  object["damaged"] = s.damaged;
  if (report.dry_run) object["dry_run"] = true;
  object["snapshot_id"] = s.snapshot.hex();
  put_name(object, "target", s.target);
  line(object);
}

void JsonView::snapshots(const std::vector<SnapshotInfo>& list) {
  Json array = Json::array();
  for (const auto& snapshot : list) array.push_back(snapshot_value(snapshot));
  output_.line(one_line(array));
}

void JsonView::listing_begins(const SnapshotInfo& snapshot) {
  Json object = snapshot_value(snapshot);
  object["struct_type"] = "snapshot";
  object["message_type"] = "snapshot";
  output_.line(one_line(object));
}

void JsonView::entry(const EntryInfo& entry, bool) { output_.line(one_line(entry_value(entry))); }

void JsonView::diff_begins(const SnapshotInfo&, const SnapshotInfo&) {}

void JsonView::difference(const DiffLine& line) {
  Json object;
  object["message_type"] = "change";
  const bool slash = line.type == EntryType::directory && !line.path.ends_with('/');
  put_name(object, "path", slash ? line.path + '/' : line.path);
  object["modifier"] = modifier_of(line.kind);
  output_.line(one_line(object));
}

void JsonView::diff_done(const SnapshotInfo& from, const SnapshotInfo& to, const DiffSummary& s) {
  Json object;
  object["message_type"] = "statistics";
  object["source_snapshot"] = from.name.hex();
  object["target_snapshot"] = to.name.hex();
  object["changed_files"] = s.files_changed;
  object["added"] = {{"files", s.files_added}, {"dirs", s.dirs_added}, {"bytes", s.bytes_added}};
  object["removed"] = {{"files", s.files_removed}, {"dirs", s.dirs_removed}, {"bytes", s.bytes_removed}};
  line(object);
}

// restic's array of groups, with the writer beside.
void JsonView::forgotten(const ForgetPlan& plan, bool) {
  Json groups = Json::array();
  for (const auto& group : plan.groups) {
    Json object;
    put_names(object, "tags", group.tags);
    object["host"] = lossy_utf8(group.host);
    put_names(object, "paths", group.paths);
    object["writer"] = group.writer.hex();
    object["keep"] = Json::array();
    object["remove"] = Json::array();
    object["reasons"] = Json::array();
    for (const auto& kept : group.keep) {
      const Json snapshot = snapshot_value(kept.snapshot);
      object["keep"].push_back(snapshot);
      object["reasons"].push_back({{"snapshot", snapshot}, {"matches", kept.reasons}});
    }
    for (const auto& snapshot : group.forget) object["remove"].push_back(snapshot_value(snapshot));
    groups.push_back(std::move(object));
  }
  output_.line(one_line(groups));
}

void JsonView::credentials(const std::vector<CredentialInfo>& all) {
  Json array = Json::array();
  for (const auto& credential : all) array.push_back(credential_value(credential));
  output_.line(one_line(array));
}

void JsonView::credential(const CredentialReport& report) {
  Json object;
  switch (report.change) {
    case CredentialReport::Change::added: object["message_type"] = "key_added"; break;
    case CredentialReport::Change::changed: object["message_type"] = "key_changed"; break;
    case CredentialReport::Change::removed: object["message_type"] = "key_removed"; break;
    case CredentialReport::Change::admitted: object["message_type"] = "writer_admitted"; break;
  }
  object.update(credential_value(report.info));
  if (!report.file.empty()) put_name(object, "file", report.file);
  line(object);
}

void JsonView::rotated(const Rotation& rotation) {
  Json object{{"message_type", "keys_rotated"}, {"generation", rotation.generation}, {"granted", Json::array()}};
  for (const auto& info : rotation.granted) object["granted"].push_back(credential_value(info));
  line(object);
}

void JsonView::session_unlocked(std::int64_t seconds, const std::string&) {
  Json object{{"message_type", "unlocked"}};
  if (seconds == 0) object["desktop"] = true;
  else object["seconds"] = seconds;
  line(object);
}

void JsonView::session_locked(bool was_unlocked) { line({{"message_type", "locked"}, {"was_unlocked", was_unlocked}}); }

void JsonView::checked(const CheckOutcome& outcome) {
  const CheckReport& report = outcome.report;
  Json broken_packs = Json::array();
  for (const auto& finding : report.damage) {
    Json object;
    object["message_type"] = "error";
    object["error"] = {{"message", lossy_utf8(finding.message)}};
    object["during"] = during(activity_);
    put_name(object, "item", finding.object);
    object["message"] = lossy_utf8(finding.object + ": " + finding.message);
    if (finding.never_seen) object["never_seen"] = true;
    line(object);
    if (finding.object.starts_with("data/")) broken_packs.push_back(finding.object.substr(finding.object.rfind('/') + 1));
  }
  Json object;
  object["message_type"] = "summary";
  object["num_errors"] = report.damage.size();
  object["broken_packs"] = std::move(broken_packs);
  object["objects"] = report.objects;
  object["packs_read"] = report.packs_read;
  object["snapshots"] = report.snapshots;
  object["bytes_read"] = report.bytes_read;
  object["total_duration"] = report.seconds;
  put_names(object, "notes", report.notes);
  line(object);
}

void JsonView::version(const std::string& version) {
  line({{"message_type", "version"}, {"version", version}});
}

}  // namespace mbu::cli
