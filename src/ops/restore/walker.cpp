#include "ops/restore/walker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/listing.hpp"

namespace mbu::ops {
namespace {

// What is being filled is nobody else's business until its own mode is set.
constexpr mode_t kUnfinishedDirectory = 0700;

}  // namespace

Walker::Walker(Run& run, Batch& batch, const format::Snapshot& snapshot, const std::vector<std::string>& own_directories)
    : run_(run),
      batch_(batch),
      snapshot_(snapshot),
      reader_(run.context().vault, run.index()),
      spared_(snapshot, own_directories),
      includes_(source::PatternList::compile(run.options().includes, source::Case::sensitive)),
      excludes_(source::PatternList::compile(run.options().excludes, source::Case::sensitive)) {
  if (!run.options().delete_extra || spared_.complete()) return;
  run.context().events.warning("nothing is deleted: the snapshot names only some of what could not be read when it was packaged, "
                               "so that what it lacks may be such a file");
}

// What patterns are about: with a subpath, as in restic, what is below that.
std::string Walker::pattern_path(const Level& level, const std::string& name) {
  return '/' + level.directory->place_of(name);
}

bool Walker::selected(const std::string& path) const {
  return (includes_.empty() || includes_.matches_self_or_parent(path)) && !excludes_.matches(path);
}

void Walker::tree(const std::shared_ptr<Directory>& target, const ChunkId& directory, const format::Entry* entry) {
  top_ = target->path;
  Level level;
  level.directory = target;
  level.entry = entry;
  level.state = Level::State::ready;
  level.included = includes_.empty() || includes_.matches_self_or_parent("/");
  for (const auto& path : snapshot_.paths) {
    const bool below = path == "/" || target->path == path ||
                       (target->path.starts_with(path) && target->path[path.size()] == '/');
    level.covered = level.covered || below;
  }
  if (!target->absent) {
    const os::Blame blame{Code::source, target->path};
    const auto fd = run_.directories().open(*target);
    const auto status = os::status_of(fd->get(), blame);
    level.device = status.dev;
    if (entry != nullptr && !run_.options().dry_run) open_up(fd->get(), status, blame);
    list_existing(level, fd->get());
  }
  walk(level, directory);
}

void Walker::file(const std::shared_ptr<Directory>& target, tree::TreeReader::Found found) {
  Level level;
  level.directory = target;
  level.state = Level::State::ready;
  if (!target->absent) list_existing(level, run_.directories().open(*target)->get());
  format::Page page;
  page.inline_chunk = found.inline_chunk;
  page.inline_length = found.inline_length;
  leaf(level, std::move(found.entry), page);
}

void Walker::walk(Level& level, const ChunkId& directory) {
  run_.context().interrupt.check();
  const auto path = level.directory->path;
  if (directory.is_zero()) {
    level.incomplete = true;
    run_.context().events.warning(path + ": could not be read when it was packaged: nothing of it is in the snapshot");
  } else {
    try {
      reader_.for_each_leaf(directory, path, [&](format::Page&& leaves) { page(level, std::move(leaves)); });
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      level.incomplete = true;
      run_.damaged(path, error);
    }
  }
  if (level.state != Level::State::ready) return;
  extras(level);
  if (level.entry == nullptr || run_.options().dry_run) return;
  batch_.add_directory(level.directory, format::copy(*level.entry),
                       level.covered ? MetadataSetter::Time::set : MetadataSetter::Time::leave);
}

// Files first, then down with nothing of the page in hand but its directories.
void Walker::page(Level& level, format::Page&& page) {
  std::vector<format::Entry> directories;
  for (auto& entry : page.entries) {
    if (entry.is_directory()) {
      directories.push_back(std::move(entry));
    } else {
      leaf(level, std::move(entry), page);
    }
  }
  page = {};
  for (const auto& entry : directories) subdirectory(level, entry);
}

void Walker::subdirectory(Level& level, const format::Entry& entry) {
  const auto path = level.directory->path_of(entry.name);
  const auto asked = pattern_path(level, entry.name);
  const bool included = level.included || includes_.empty() || includes_.matches_self_or_parent(asked);
  if (excludes_.matches(asked) || (!included && !includes_.may_match_below(asked))) {
    static_cast<void>(look(level, entry.name));
    return;
  }
  Level below;
  below.directory = std::make_shared<Directory>();
  below.directory->path = path;
  below.directory->place = level.directory->place_of(entry.name);
  below.entry = &entry;
  below.parent = &level;
  below.included = included;
  below.covered = level.covered || std::ranges::binary_search(snapshot_.paths, path);
  below.depth = level.depth + 1;
  if (below.depth > kDeepest) return run_.not_restored(below.directory->place, too_deep());
  if (included && !ensure(below)) return;
  walk(below, entry.directory);
}

void Walker::leaf(Level& level, format::Entry&& entry, const format::Page& page) {
  const auto path = level.directory->path_of(entry.name);
  if (!selected(pattern_path(level, entry.name))) {
    static_cast<void>(look(level, entry.name));
    return;
  }
  if (!ensure(level)) return;
  ++run_.counters().files_total;
  if (entry.is_regular()) run_.counters().bytes_total += entry.size;
  auto task = std::make_unique<FileTask>();
  try {
    task->there = look(level, entry.name);
    if (task->there && task->there->type == EntryType::directory) {
      if (!clear_way(level, entry, *task->there)) return run_.done(entry, path);
      task->there.reset();
    }
  } catch (const Error& error) {
    run_.failed_at(level.directory->place_of(entry.name), error);
    return run_.done(entry, path);
  }
  task->directory = level.directory;
  task->entry = std::move(entry);
  task->inline_chunk = page.inline_chunk;
  task->inline_length = page.inline_length;
  if (batch_.add_link(task)) return;
  if (task->entry.is_regular()) return batch_.add_file(std::move(task));
  batch_.add_special(*task);
}

Removal Walker::removal(bool dry_run) const {
  Removal removal;
  removal.dry_run = dry_run;
  removal.spares = [this](const std::string& path, const os::FileStatus& there) {
    return excludes_.matches(path) || spared_.has(top_ == "/" ? path : top_ + path, there);
  };
  if (run_.options().delete_extra) removal.mounted = [this](const std::string& path) { tell_mounted(path.substr(1)); };
  return removal;
}

void Walker::tell_mounted(const std::string& place) const {
  run_.context().events.warning(run_.directories().display(place) + ": another file system is mounted there: nothing is deleted in it");
}

// What is there but not in the snapshot: counted, or removed.
void Walker::extras(Level& level) {
  if (!level.included || !level.covered || level.incomplete || level.names.empty() || !spared_.complete()) return;
  const auto& options = run_.options();
  // A backup that keeps to one file system has mounted ones as empty directories.
  if (level.mounted) {
    if (options.delete_extra && !level.parent->mounted) tell_mounted(level.directory->place);
    return;
  }
  const auto rules = removal(options.dry_run || !options.delete_extra);
  for (std::size_t i = 0; i < level.names.size(); ++i) {
    if (level.known[i]) continue;
    const auto& name = level.names[i];
    try {
      const auto directory = run_.directories().open(*level.directory);
      const auto count = remove_tree(directory->get(), name, pattern_path(level, name), rules, {Code::source, name});
      (options.delete_extra ? run_.counters().files_deleted : run_.counters().files_extra) += count;
    } catch (const Error& error) {
      run_.failed_at(level.directory->place_of(name), options.delete_extra ? error : error.within("cannot look for extra files"));
    }
  }
}

bool Walker::ensure(Level& level) {
  if (level.state != Level::State::unmade) return level.state == Level::State::ready;
  level.state = Level::State::blocked;
  if (!ensure(*level.parent)) return false;
  try {
    if (make_directory(level)) level.state = Level::State::ready;
  } catch (const Error& error) {
    run_.failed_at(level.directory->place, error);
  }
  return level.state == Level::State::ready;
}

// False when something is in the way that must stay.
bool Walker::make_directory(Level& level) {
  const auto& entry = *level.entry;
  const os::Blame blame{Code::source, entry.name};
  auto& directory = *level.directory;
  const auto there = look(*level.parent, entry.name);
  if (there && there->type == EntryType::directory) {
    enter_existing(level);
    return true;
  }
  if (there && !clear_way(*level.parent, entry, *there)) return false;
  directory.fresh = true;
  directory.absent = run_.options().dry_run;
  if (directory.absent) return true;
  const auto parent = run_.directories().open(*level.parent->directory);
  if (::mkdirat(parent->get(), entry.name.c_str(), kUnfinishedDirectory) != 0) {
    throw os::system_error(blame, "make the directory", errno);
  }
  auto fd = os::open_at(parent->get(), entry.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, blame);
  // Inherited from its parent, if at all.
  directory.has_default_acl = level.parent->directory->has_default_acl;
  run_.directories().adopt(directory, std::move(fd));
  return true;
}

void Walker::enter_existing(Level& level) {
  const os::Blame blame{Code::source, level.entry->name};
  const bool dry_run = run_.options().dry_run;
  const auto parent = run_.directories().open(*level.parent->directory);
  os::Fd fd;
  try {
    const auto locked_out = dry_run ? LockedOut::leave : LockedOut::open_up;
    fd = open_directory(parent->get(), level.entry->name, os::Links::keep, locked_out, blame);
  } catch (const Error& error) {
    if (!dry_run || error.system_errno() != EACCES) throw;
    level.directory->absent = true;
    run_.context().events.warning(run_.directories().display(level.directory->place) +
                                  ": cannot be looked into as it is: taken for empty");
    return;
  }
  const auto status = os::status_of(fd.get(), blame);
  level.device = status.dev;
  level.mounted = level.parent->mounted || os::is_mounted_over(level.parent->device, status);
  if (!dry_run) open_up(fd.get(), status, blame);
  list_existing(level, fd.get());
  run_.directories().adopt(*level.directory, std::move(fd));
}

// Makes a directory that is the caller's one that can be written into; its own mode and flags are set at the end. Where that cannot
// be had, what is in it may need no writing, and what does is named.
void Walker::open_up(int fd, const os::FileStatus& status, os::Blame blame) const {
  const bool locked = (status.flags & (os::kImmutable | os::kAppendOnly)) != 0;
  const bool own = ::geteuid() != 0 && status.uid == ::geteuid();
  try {
    if (locked) os::set_file_flags(fd, 0, blame);
    if (own && (status.mode & kUnfinishedDirectory) != kUnfinishedDirectory) {
      os::set_mode({fd, false}, status.mode | kUnfinishedDirectory, blame);
    }
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
  }
}

// Also takes away what killed restores left behind.
void Walker::list_existing(Level& level, int fd) {
  level.names = os::list_names(fd, {Code::source, level.directory->path});
  level.directory->has_default_acl = os::has_attribute(fd, "system.posix_acl_default");
  if (!run_.options().dry_run) {
    std::erase_if(level.names, [fd](const std::string& name) {
      return is_temporary_name(name) && ::unlinkat(fd, name.c_str(), 0) == 0;
    });
  }
  level.known.assign(level.names.size(), false);
}

std::optional<os::FileStatus> Walker::look(Level& level, const std::string& name) {
  const auto found = std::ranges::lower_bound(level.names, name);
  if (found == level.names.end() || *found != name) return std::nullopt;
  level.known[static_cast<std::size_t>(found - level.names.begin())] = true;
  const auto directory = run_.directories().open(*level.directory);
  return os::status_at(directory->get(), name.c_str(), os::Links::keep, {Code::source, name});
}

bool Walker::clear_way(Level& level, const format::Entry& entry, const os::FileStatus& there) {
  const auto place = level.directory->place_of(entry.name);
  const bool is_directory = there.type == EntryType::directory;
  if (may_replace(run_.options().overwrite, entry, there) && !spared_.is_own(there)) {
    if (run_.options().dry_run) return true;
    const os::Blame blame{Code::source, entry.name};
    const auto directory = run_.directories().open(*level.directory);
    if (is_directory && run_.options().delete_extra && level.included && level.covered && spared_.complete()) {
      run_.counters().files_deleted +=
          remove_tree(directory->get(), entry.name, pattern_path(level, entry.name), removal(false), blame);
    } else {
      unlock(directory->get(), entry.name, there, blame);
    }
    const int flags = is_directory ? AT_REMOVEDIR : 0;
    if (::unlinkat(directory->get(), entry.name.c_str(), flags) == 0 || errno == ENOENT) return true;
    if (errno != ENOTEMPTY && errno != EEXIST) throw os::system_error(blame, "remove what is in its place", errno);
  }
  ++run_.counters().files_kept;
  run_.kept(place, is_directory ? "a directory is in the place of what is no directory: left as it is"
                                : "is no directory, as the snapshot has it: left as it is, and nothing restored below it");
  return false;
}

}  // namespace mbu::ops
