#include "repo/snapshot_query.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace mbu::repo {
namespace {

bool has_tag(const std::vector<std::string>& tags, const std::string& wanted) {
  return wanted.empty() ? tags.empty() : std::ranges::count(tags, wanted) != 0;
}

bool all_of(const std::vector<std::string>& wanted, const std::vector<std::string>& have) {
  return std::ranges::all_of(wanted, [&](const auto& w) { return std::ranges::count(have, w) != 0; });
}

// How far back from the newest: "latest" is 0, "latest~2" is 2; nothing for anything else.
std::optional<std::size_t> steps_back(const std::string& text) {
  if (text == "latest") return 0;
  constexpr std::string_view kPrefix = "latest~";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  std::size_t steps = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + kPrefix.size(), end, steps);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return steps;
}

// Newest first. The own ones where there are any: nobody speaks for another machine. Else those of one writer, who is named when there are several.
std::vector<const StoredSnapshot*> latest_candidates(const std::vector<StoredSnapshot>& all, const SnapshotFilter& filter) {
  std::vector<const StoredSnapshot*> found;
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (passes(*it, filter)) found.push_back(&*it);
  }
  if (!filter.writers.empty()) return found;
  if (std::ranges::any_of(found, &StoredSnapshot::own)) {
    std::erase_if(found, [](const StoredSnapshot* stored) { return !stored->own; });
    return found;
  }
  std::map<PublicKey, std::string> writers;
  for (const auto* stored : found) writers.emplace(stored->writer, stored->writer_name);
  if (writers.size() < 2) return found;
  std::string names;
  for (const auto& [key, name] : writers) names += (names.empty() ? "" : ", ") + (name.empty() ? key.hex().substr(0, 8) : name);
  throw Error(Code::usage, "several writers made such snapshots: " + names, "latest", "choose one by --writer NAME");
}

}  // namespace

bool has_tags_of(const std::vector<std::vector<std::string>>& lists, const std::vector<std::string>& tags) {
  return std::ranges::any_of(lists, [&](const auto& list) {
    return std::ranges::all_of(list, [&](const auto& wanted) { return has_tag(tags, wanted); });
  });
}

bool passes(const StoredSnapshot& stored, const SnapshotFilter& filter) {
  const auto& snapshot = stored.snapshot;
  if (!filter.hosts.empty() && std::ranges::count(filter.hosts, snapshot.host) == 0) return false;
  const auto is_writer = [&](const std::string& text) { return text == stored.writer_name || (text.size() >= 8 && stored.writer.hex().starts_with(text)); };
  if (!filter.writers.empty() && std::ranges::none_of(filter.writers, is_writer)) return false;
  if (!filter.tags.empty() && !has_tags_of(filter.tags, snapshot.tags)) return false;
  return all_of(filter.paths, snapshot.paths);
}

const StoredSnapshot& find_snapshot(const std::vector<StoredSnapshot>& all, const std::string& text,
                                    const SnapshotFilter& filter) {
  if (const auto steps = steps_back(text)) {
    const auto newest_first = latest_candidates(all, filter);
    if (*steps < newest_first.size()) return *newest_first[*steps];
    throw Error(Code::not_found, all.empty() ? "the repository holds no snapshot yet" : "there is no such snapshot", text,
                "list what there is: mbu snapshots");
  }
  const StoredSnapshot* found = nullptr;
  for (const auto& stored : all) {
    if (text.empty() || !stored.name.hex().starts_with(text)) continue;
    if (found != nullptr) throw Error(Code::usage, "several snapshots begin with this", text, "give more digits");
    found = &stored;
  }
  if (found == nullptr) throw Error(Code::not_found, "there is no such snapshot", text, "list what there is: mbu snapshots");
  return *found;
}

SnapshotInfo describe(const StoredSnapshot& stored) {
  const auto& s = stored.snapshot;
  SnapshotInfo info;
  info.name = stored.name;
  info.parent = s.base;
  info.time_s = s.time.seconds;
  info.time_ns = s.time.nanoseconds;
  info.host = s.host;
  info.user = s.user;
  info.uid = s.uid;
  info.gid = s.gid;
  info.paths = s.paths;
  info.tags = s.tags;
  info.excludes = s.excludes;
  info.program = s.program;
  info.writer = stored.writer;
  info.writer_name = stored.writer_name;
  info.own = stored.own;
  info.domain = stored.domain;
  info.instance = s.instance;
  info.number = s.number;
  info.files = s.files;
  info.directories = s.directories;
  info.bytes = s.bytes;
  info.stored_bytes = s.stored_bytes;
  info.started_ns = s.started_ns;
  info.finished_ns = s.finished_ns;
  info.problem_count = s.problem_count;
  for (const auto& problem : s.problems) info.problems.emplace_back(problem.path, problem.message);
  info.root = s.root;
  return info;
}

}  // namespace mbu::repo
