#include "ops/restore/walker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/listing.hpp"

namespace mbu::ops {
namespace {

// Directories within directories: what the stack holds for certain.
constexpr std::size_t kDeepest = 2500;
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

bool Walker::selected(const std::string& path) const {
  return (includes_.empty() || includes_.matches_self_or_parent(path)) && !excludes_.matches(path);
}

void Walker::tree(const std::shared_ptr<Directory>& target, const ChunkId& directory, const format::Entry* entry) {
  Level level;
  level.directory = target;
  level.entry = entry;
  level.state = Level::State::ready;
  level.included = includes_.empty() || includes_.matches_self_or_parent(target->path);
  for (const auto& path : snapshot_.paths) {
    const bool below = path == "/" || target->path == path ||
                       (target->path.starts_with(path) && target->path[path.size()] == '/');
    level.covered = level.covered || below;
  }
  if (!target->absent) list_existing(level, run_.directories().open(*target)->get());
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
  const bool included = level.included || includes_.empty() || includes_.matches_self_or_parent(path);
  if (excludes_.matches(path) || (!included && !includes_.may_match_below(path))) {
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
  if (below.depth > kDeepest) return run_.not_restored(below.directory->place, "lies too deep");
  if (included && !ensure(below)) return;
  walk(below, entry.directory);
}

void Walker::leaf(Level& level, format::Entry&& entry, const format::Page& page) {
  const auto path = level.directory->path_of(entry.name);
  if (!selected(path)) {
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
  special(level, *task);
}

void Walker::special(Level& level, const FileTask& task) {
  const auto& entry = task.entry;
  auto& counters = run_.counters();
  if (task.links != nullptr) task.links->state = LinkGroup::State::unavailable;
  try {
    const os::Blame blame{Code::source, entry.name};
    if (run_.options().dry_run && level.directory->absent) {
      ++counters.files_restored;
    } else {
      const auto directory = run_.directories().open(*level.directory);
      const bool same = task.there && is_same_special(directory->get(), entry, *task.there, blame);
      if (same) {
        ++counters.files_unchanged;
        touch_special(directory->get(), task);
      } else if (task.there && !may_replace(run_.options().overwrite, entry, *task.there)) {
        ++counters.files_kept;
        run_.kept(task.place(), why_kept(run_.options().overwrite));
      } else {
        if (!run_.options().dry_run) make_special_at(directory->get(), task);
        ++counters.files_restored;
      }
      if (same || !task.there) batch_.settle_group(task, directory->get());
    }
  } catch (const Error& error) {
    run_.failed_at(task.place(), error);
  }
  run_.done(entry, task.path());
}

// Beside what it replaces, if anything, and in its place when all is set.
void Walker::make_special_at(int directory, const FileTask& task) {
  const os::Blame blame{Code::source, task.entry.name};
  const auto name = task.there ? os::unique_name(kTemporaryPrefix) : task.entry.name;
  make_special(directory, name, task.entry, blame);
  const auto failures = set_special(directory, name, task);
  if (task.there) replace_name(directory, name, task.entry.name, *task.there, blame);
  if (!failures.empty()) run_.not_restored(task.place(), failures);
}

std::string Walker::set_special(int directory, const std::string& name, const FileTask& task) {
  const os::Blame blame{Code::source, task.entry.name};
  if (task.entry.type == EntryType::symlink) return run_.metadata().set_link(directory, name, task.entry, blame);
  const auto fd = os::open_at(directory, name.c_str(), O_PATH | O_NOFOLLOW, 0, blame);
  if (os::status_of(fd.get(), blame).type != task.entry.type) {
    throw Error(Code::source, "was replaced by somebody while it was being restored", task.entry.name);
  }
  return run_.metadata().set_new({fd.get(), true}, task.entry, false, MetadataSetter::Time::set, blame);
}

// The same thing was there: only what differs is set, and nothing through a name of it that may lie elsewhere.
void Walker::touch_special(int directory, const FileTask& task) {
  const auto& there = *task.there;
  const auto& options = run_.options();
  if (options.dry_run || options.overwrite == RestoreOptions::Overwrite::never || there.nlink > 1) return;
  const bool same_mode = task.entry.type == EntryType::symlink || there.mode == task.entry.mode;
  if (same_mode && there.uid == task.entry.uid && there.gid == task.entry.gid && there.mtime == task.entry.mtime) return;
  const auto failures = set_special(directory, task.entry.name, task);
  if (!failures.empty()) run_.not_restored(task.place(), failures);
}

// What is there but not in the snapshot: counted, or removed.
void Walker::extras(Level& level) {
  if (!level.included || !level.covered || level.incomplete || level.names.empty() || !spared_.complete()) return;
  const auto& options = run_.options();
  const auto rules = removal(options.dry_run || !options.delete_extra);
  for (std::size_t i = 0; i < level.names.size(); ++i) {
    if (level.known[i]) continue;
    const auto& name = level.names[i];
    try {
      const auto directory = run_.directories().open(*level.directory);
      const auto count = remove_tree(directory->get(), name, level.directory->path_of(name), rules, {Code::source, name});
      (options.delete_extra ? run_.counters().files_deleted : run_.counters().files_extra) += count;
    } catch (const Error& error) {
      run_.failed_at(level.directory->place_of(name), options.delete_extra ? error : error.within("cannot look for extra files"));
    }
  }
}

Removal Walker::removal(bool dry_run) const {
  return {dry_run, [this](const std::string& path, const os::FileStatus& there) {
            return excludes_.matches(path) || spared_.has(path, there);
          }};
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
    const auto parent = run_.directories().open(*level.parent->directory);
    enter_existing(level, open_directory(parent->get(), entry.name, blame));
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

void Walker::enter_existing(Level& level, os::Fd fd) {
  if (!run_.options().dry_run) {
    const os::Blame blame{Code::source, level.entry->name};
    const auto status = os::status_of(fd.get(), blame);
    if ((status.flags & (os::kImmutable | os::kAppendOnly)) != 0) os::set_file_flags(fd.get(), 0, blame);
    // An owner who may not write into it would not get far; its own mode is set at the end.
    if ((status.mode & kUnfinishedDirectory) != kUnfinishedDirectory && ::geteuid() != 0) {
      os::set_mode({fd.get(), false}, status.mode | kUnfinishedDirectory, blame);
    }
  }
  list_existing(level, fd.get());
  run_.directories().adopt(*level.directory, std::move(fd));
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
          remove_tree(directory->get(), entry.name, level.directory->path_of(entry.name), removal(false), blame);
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
