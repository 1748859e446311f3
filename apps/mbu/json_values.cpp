#include "json_values.hpp"

#include <algorithm>
#include <chrono>

#include "entries.hpp"
#include "escape.hpp"
#include "units.hpp"

namespace mbu::cli {
namespace {

std::string moment(std::int64_t ns_since_1970) {
  const std::chrono::nanoseconds time(ns_since_1970);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return format_rfc3339(seconds.count(), static_cast<std::uint32_t>((time - seconds).count()));
}

}  // namespace

void put_name(Json& object, const std::string& key, const std::string& bytes) {
  object[key] = lossy_utf8(bytes);
  if (!is_utf8(bytes)) object[key + "_b64"] = base64(bytes);
}

void put_names(Json& object, const std::string& key, const std::vector<std::string>& list) {
  Json lossy = Json::array();
  Json exact = Json::array();
  for (const auto& name : list) {
    lossy.push_back(lossy_utf8(name));
    exact.push_back(base64(name));
  }
  object[key] = std::move(lossy);
  if (!std::all_of(list.begin(), list.end(), is_utf8)) object[key + "_b64"] = std::move(exact);
}

Json snapshot_value(const SnapshotInfo& s) {
  Json object;
  object["time"] = format_rfc3339(s.time_s, s.time_ns);
  if (s.parent) object["parent"] = s.parent->hex();
  object["tree"] = s.root.hex();
  put_names(object, "paths", s.paths);
  object["hostname"] = lossy_utf8(s.host);
  object["username"] = lossy_utf8(s.user);
  object["uid"] = s.uid;
  object["gid"] = s.gid;
  if (!s.excludes.empty()) put_names(object, "excludes", s.excludes);
  if (!s.tags.empty()) put_names(object, "tags", s.tags);
  object["program_version"] = lossy_utf8(s.program);
  object["summary"] = {{"backup_start", moment(s.started_ns)},
                       {"backup_end", moment(s.finished_ns)},
                       {"total_files_processed", s.files},
                       {"total_dirs_processed", s.directories},
                       {"total_bytes_processed", s.bytes},
                       {"data_added_packed", s.stored_bytes},
                       {"problems", s.problem_count}};
  object["writer"] = s.writer.hex();
  if (!s.writer_name.empty()) object["writer_name"] = lossy_utf8(s.writer_name);
  object["instance"] = s.instance.hex();
  object["number"] = s.number;
  if (!s.problems.empty()) {
    Json problems = Json::array();
    for (const auto& [path, message] : s.problems) {
      Json problem;
      put_name(problem, "path", path);
      problem["message"] = lossy_utf8(message);
      problems.push_back(std::move(problem));
    }
    object["problems"] = std::move(problems);
  }
  object["id"] = s.name.hex();
  object["short_id"] = s.name.hex().substr(0, 8);
  return object;
}

Json entry_value(const EntryInfo& e) {
  Json object;
  put_name(object, "name", e.name);
  object["type"] = type_name(e.type);
  put_name(object, "path", e.path);
  object["uid"] = e.uid;
  object["gid"] = e.gid;
  if (!e.user.empty()) object["user"] = lossy_utf8(e.user);
  if (!e.group.empty()) object["group"] = lossy_utf8(e.group);
  if (e.type == EntryType::regular) object["size"] = e.size;
  object["mode"] = e.mode;
  object["permissions"] = permissions_of(e);
  object["mtime"] = format_rfc3339(e.mtime_s, e.mtime_ns);
  if (e.type == EntryType::symlink) put_name(object, "linktarget", e.link_target);
  if (e.type == EntryType::character_device || e.type == EntryType::block_device) {
    object["device_major"] = e.device_major;
    object["device_minor"] = e.device_minor;
  }
  if (e.unreadable) object["unreadable"] = true;
  object["struct_type"] = "node";
  object["message_type"] = "node";
  return object;
}

Json backup_value(const BackupSummary& s) {
  Json object;
  object["message_type"] = "summary";
  object["files_new"] = s.files_new;
  object["files_changed"] = s.files_changed;
  object["files_unmodified"] = s.files_unmodified;
  object["dirs_new"] = s.dirs_new;
  object["dirs_changed"] = s.dirs_changed;
  object["dirs_unmodified"] = s.dirs_unmodified;
  object["data_blobs"] = s.data_blobs;
  object["tree_blobs"] = s.tree_blobs;
  object["data_added"] = s.data_added;
  object["data_added_packed"] = s.data_added_packed;
  object["total_files_processed"] = s.total_files;
  object["total_dirs_processed"] = s.total_dirs;
  object["total_bytes_processed"] = s.total_bytes;
  object["bytes_read"] = s.bytes_read;
  object["backup_start"] = moment(s.started_ns);
  object["backup_end"] = moment(s.finished_ns);
  object["total_duration"] = s.seconds;
  object["problems"] = s.problems;
  if (s.parent) object["parent"] = s.parent->hex();
  if (s.snapshot) object["snapshot_id"] = s.snapshot->hex();
  return object;
}

Json credential_value(const CredentialInfo& c) {
  Json object;
  object["id"] = c.id.hex();
  object["name"] = lossy_utf8(c.name);
  object["role"] = role_name(c.role);
  object["created"] = format_rfc3339(c.created_s, 0);
  object["kdf"] = c.kdf == Kdf::argon2id ? "argon2id" : c.kdf == Kdf::pbkdf2 ? "pbkdf2" : "fido2";
  if (c.kdf == Kdf::argon2id) object["kdf_memory_kib"] = c.memory_kib;
  if (c.kdf != Kdf::security_key) object["kdf_time"] = c.passes;
  if (c.domain) object["domain"] = c.domain->hex();
  object["present"] = c.present;
  object["current"] = c.current;
  return object;
}

Json watcher_value(const WatcherStatus& w) {
  Json object;
  object["process"] = w.process;
  put_names(object, "paths", w.paths);
  object["feed"] = w.feed;
  put_name(object, "repository", w.location);
  object["repository_id"] = w.repository;
  object["state"] = activity_name(w.activity);
  object["pending_directories"] = w.pending_directories;
  object["started"] = format_rfc3339(w.started_s, 0);
  if (w.compared_s > 0) object["compared"] = format_rfc3339(w.compared_s, 0);
  object["missed"] = w.missed;
  object["lost_events"] = w.lost_events;
  object["snapshots"] = w.snapshots;
  if (!w.last_snapshot.empty()) {
    object["last_snapshot"] = w.last_snapshot;
    object["last_snapshot_time"] = format_rfc3339(w.last_snapshot_s, 0);
  }
  object["problems"] = w.problems;
  if (!w.error.empty()) object["error"] = w.error;
  object["keeps_owner"] = w.keeps_owner;
  return object;
}

std::string one_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace mbu::cli
