// The original tool's -o, -w and -d: one directory in, the latest of it out.
#include <algorithm>
#include <filesystem>
#include <set>

#include "backup.hpp"
#include "commands.hpp"
#include "escape.hpp"
#include "restore.hpp"
#include "session.hpp"
#include "view.hpp"
#include "watch.hpp"

namespace mbu::cli {
namespace {

void package_directory(Context& context, const std::string& given) {
  Session session(context);
  const std::string path = existing_target("-o", given);
  refuse_own_places(path, session.own_places());
  context.view.begin(Activity::backup);
  Repository repository = session.open_or_make();
  BackupOptions options;
  options.paths = {path};
  package(context, session, repository, std::move(options), "-d " + shell_word(path));
}

void watch_directory(Context& context, const std::string& given) {
  Session session(context);
  const std::string path = existing_target("-w", given);
  refuse_own_places(path, session.own_places());
  context.view.begin(Activity::backup);
  Repository repository = session.open_or_make();
  BackupOptions options;
  options.paths = {path};
  watch(context, session, repository, options);
}

using Paths = std::set<std::string>;

Paths packaged_paths(const std::vector<SnapshotInfo>& snapshots) {
  Paths paths;
  for (const auto& snapshot : snapshots) paths.insert(snapshot.paths.begin(), snapshot.paths.end());
  return paths;
}

Paths with_last_name(const Paths& paths, const std::string& name) {
  Paths found;
  for (const auto& path : paths) {
    if (last_name(path) == name) found.insert(path);
  }
  return found;
}

std::string list_of(const Paths& paths) {
  std::string text;
  for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path;
  return text;
}

bool names_any(const std::string& given, const Paths& packaged) {
  if (given.empty()) return false;
  const bool by_path = packaged.contains(absolute_path(given)) || packaged.contains(real_path(given));
  return by_path || !with_last_name(packaged, last_name(given)).empty();
}

// The packaged path that DIR names: itself, where its symlinks lead, or the only one with this last name.
std::string named_path(const std::string& given, const Paths& packaged) {
  if (given.empty()) throw Error(Code::usage, "-d wants a directory, not an empty name");
  for (const auto& candidate : {absolute_path(given), real_path(given)}) {
    if (packaged.contains(candidate)) return candidate;
  }
  std::string name = given;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  const Paths same = name.find('/') == std::string::npos ? with_last_name(packaged, name) : Paths{};
  if (same.size() == 1) return *same.begin();
  if (same.size() > 1) {
    throw Error(Code::usage, "was packaged from several places: " + list_of(same), given, "name one of them by its path");
  }
  const std::string there = packaged.empty() ? "the repository is empty" : "there is: " + list_of(packaged);
  throw Error(Code::not_found, "was never packaged", given, there);
}

// The newest snapshot with this path by the writer that `latest` means, of this host if he made one of it. `snapshots`: oldest first.
const SnapshotInfo& latest_of(const std::vector<SnapshotInfo>& snapshots, const SnapshotInfo& latest, const std::string& path, const std::string& host) {
  const auto is_better = [&](const SnapshotInfo& snapshot) {
    return snapshot.writer == latest.writer && snapshot.host == host &&
           std::find(snapshot.paths.begin(), snapshot.paths.end(), path) != snapshot.paths.end();
  };
  const auto found = std::find_if(snapshots.rbegin(), snapshots.rend(), is_better);
  return found != snapshots.rend() ? *found : latest;
}

bool is_directory(Repository& repository, const SnapshotInfo& snapshot, const std::string& path) {
  bool itself = false;
  try {
    repository.list(snapshot, path, false, [&](const EntryInfo& entry) { itself = itself || entry.path == path; });
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;  // damage ends no restore, which will tell of it
  }
  return !itself;
}

}  // namespace

void restore_latest(Context& context, Session& session, const std::string& given) {
  context.view.begin(Activity::restore);
  Repository repository = session.open();
  const auto snapshots = repository.snapshots();
  // What others packaged counts where the owner has packaged nothing of that name himself.
  auto own = snapshots;
  std::erase_if(own, [](const SnapshotInfo& snapshot) { return !snapshot.own; });
  Paths packaged = packaged_paths(own);
  if (!names_any(given, packaged)) packaged = packaged_paths(snapshots);
  const std::string path = named_path(given, packaged);
  SnapshotFilter of_path;
  of_path.paths = {path};
  const SnapshotInfo latest = repository.resolve("latest", of_path);
  const SnapshotInfo& snapshot = latest_of(snapshots, latest, path, this_host());

  const bool shared = with_last_name(packaged, last_name(path)).size() > 1;
  std::string target = joined(session.restore_directory(), shared ? path : last_name(path));
  // What is no directory goes into a directory under its own name.
  if (!is_directory(repository, snapshot, path)) target = std::filesystem::path(target).parent_path().string();

  RestoreOptions options = context.arguments.restore.options;
  options.subpath = path == "/" ? "" : path;
  options.target = target;
  unpackage(context, session, repository, snapshot, options, "-d " + shell_word(path));
}

void run_short_form(Context& context) {
  const ShortForms& forms = context.arguments.short_forms;
  if (!forms.package.empty()) return package_directory(context, forms.package.front());
  if (!forms.watch.empty()) return watch_directory(context, forms.watch.front());
  Session session(context);
  restore_latest(context, session, forms.unpackage.front());
}

}  // namespace mbu::cli
