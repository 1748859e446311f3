// The flow (docs/ARCHITECTURE.md): the walk compares the snapshot's tree with what is in the target and fills batches; a batch
// plans which bytes of which blocks go where, and the writer applies the plan on all threads; directories get their metadata when all
// below them is done.
#include "ops/restore/restore.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "ops/restore/walker.hpp"

namespace mbu::ops {
namespace {

constexpr mode_t kTargetMode = 0700;
// Of a target that this made and that is to get a directory's own metadata: so a killed restore's can be told from the user's.
constexpr std::uint16_t kUnfinishedTarget = 01700;

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// The target, made when missing unless nothing may be written. It may be a symlink: its name is the user's own.
os::Fd open_target(const std::string& target, bool dry_run, Directory& directory) {
  const os::Blame blame{Code::failed, target};
  constexpr int kFlags = O_RDONLY | O_DIRECTORY;
  auto fd = os::open_if_exists(AT_FDCWD, target.c_str(), kFlags, blame);
  if (fd) return fd;
  directory.fresh = true;
  directory.absent = dry_run;
  if (dry_run) return fd;
  os::make_directories(target, kTargetMode, blame);
  return os::open_at(AT_FDCWD, target.c_str(), kFlags, 0, blame);
}

// What of the snapshot is wanted: a whole tree (no entry), or one entry.
std::optional<tree::TreeReader::Found> find_subpath(const repo::Context& context, const repo::ChunkIndex& index,
                                                    const repo::StoredSnapshot& snapshot, const std::string& subpath) {
  if (subpath.empty()) return std::nullopt;
  auto found = tree::TreeReader(context.vault, index).find_path(snapshot.snapshot.root, subpath);
  if (!found) throw Error(Code::not_found, "is not in the snapshot", subpath, "list what there is: mbu ls SNAPSHOT");
  return found;
}

std::optional<Run::Totals> totals_of(const RestoreOptions& options, const repo::StoredSnapshot& snapshot,
                                     const std::optional<tree::TreeReader::Found>& found) {
  if (!options.includes.empty() || !options.excludes.empty()) return std::nullopt;
  if (!found) return Run::Totals{snapshot.snapshot.files, snapshot.snapshot.bytes};
  if (!found->entry.is_directory()) return Run::Totals{1, found->entry.size};
  return Run::Totals{found->entry.directory_files, found->entry.directory_bytes};
}

// Whether the target is to become the directory at `subpath`, with its metadata. One of another name that was there before is the
// user's own: only filled.
bool stands_for(const Directory& directory, const Directories& directories, const std::string& target,
                const std::string& subpath) {
  if (directory.absent || last_name(target) == last_name(subpath)) return true;
  const os::Blame blame{Code::failed, target};
  const int fd = directories.target().get();
  if (directory.fresh) os::set_mode({fd, false}, kUnfinishedTarget, blame);
  return directory.fresh || os::status_of(fd, blame).mode == kUnfinishedTarget;
}

void fill(RestoreSummary& summary, const Counters& counters) {
  summary.files_total = counters.files_total;
  summary.bytes_total = counters.bytes_total;
  summary.files_restored = counters.files_restored;
  summary.bytes_restored = counters.bytes_restored;
  summary.files_unchanged = counters.files_unchanged;
  summary.bytes_unchanged = counters.bytes_unchanged;
  summary.files_deleted = counters.files_deleted;
  summary.files_extra = counters.files_extra;
  summary.files_kept = counters.files_kept;
  summary.problems = counters.problems;
  summary.damaged = counters.damaged;
}

}  // namespace

RestoreSummary restore(const repo::Context& context, const repo::ChunkIndex& index, const repo::StoredSnapshot& snapshot,
                       const RestoreOptions& options, const std::vector<std::string>& own_directories) {
  const auto started = system_clock().monotonic_ns();
  const auto subpath = options.subpath.find_first_not_of('/') == std::string::npos
                           ? std::string()
                           : without_trailing_slashes(options.subpath);
  const auto target = without_trailing_slashes(options.target);
  auto found = find_subpath(context, index, snapshot, subpath);
  const bool one_file = found && !found->entry.is_directory();

  const auto directory = std::make_shared<Directory>();
  directory->path = subpath.empty() ? "/" : one_file ? parent_of(subpath) : subpath;
  Directories directories(open_target(target, options.dry_run, *directory), target);
  Run run(context, index, options, directories, totals_of(options, snapshot, found));
  {
    Batch batch(run);
    Walker walker(run, batch, snapshot.snapshot, own_directories);
    if (!found) {
      walker.tree(directory, snapshot.snapshot.root, nullptr);
    } else if (one_file) {
      walker.file(directory, std::move(*found));
    } else {
      const bool stands = stands_for(*directory, directories, target, subpath);
      walker.tree(directory, found->entry.directory, stands ? &found->entry : nullptr);
    }
    batch.flush();
    batch.finish();
  }
  if (options.sync && !options.dry_run && ::syncfs(directories.target().get()) != 0) {
    throw os::system_error({Code::failed, target}, "make durable (syncfs)", errno);
  }
  RestoreSummary summary;
  summary.snapshot = snapshot.name;
  summary.target = options.target;
  fill(summary, run.counters());
  summary.seconds = static_cast<double>(system_clock().monotonic_ns() - started) / 1e9;
  return summary;
}

}  // namespace mbu::ops
