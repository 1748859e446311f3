#include "ops/restore/specials.hpp"

#include <fcntl.h>

#include "ops/restore/places.hpp"

namespace mbu::ops {

void Specials::restore(const FileTask& task) {
  if (task.links != nullptr) task.links->state = LinkGroup::State::unavailable;
  try {
    if (run_.options().dry_run && task.directory->absent) {
      ++run_.counters().files_restored;
    } else {
      const auto directory = run_.directories().open(*task.directory);
      if (put_in_place(directory->get(), task)) settle_group(task, directory->get());
    }
  } catch (const Error& error) {
    run_.failed_at(task.place(), error);
  }
  run_.done(task.entry, task.path());
}

// False when something else has the name and keeps it.
bool Specials::put_in_place(int directory, const FileTask& task) {
  auto& counters = run_.counters();
  const auto overwrite = run_.options().overwrite;
  if (task.there && is_same_special(directory, task.entry, *task.there, {Code::source, task.entry.name})) {
    ++counters.files_unchanged;
    touch(directory, task);
    return true;
  }
  if (task.there && !may_replace(overwrite, task.entry, *task.there)) {
    ++counters.files_kept;
    run_.kept(task.place(), why_kept(overwrite));
    return false;
  }
  if (!run_.options().dry_run) make_at(directory, task);
  ++counters.files_restored;
  return true;
}

void Specials::settle_group(const FileTask& task, int directory) {
  if (task.links == nullptr) return;
  const auto made = os::status_at(directory, task.entry.name.c_str(), os::Links::keep, {Code::source, task.entry.name});
  if (!made) return;
  task.links->ino = made->ino;
  task.links->dev = made->dev;
  task.links->state = LinkGroup::State::done;
}

// Beside what it replaces, if anything, and in its place when all is set.
void Specials::make_at(int directory, const FileTask& task) {
  const os::Blame blame{Code::source, task.entry.name};
  const auto name = task.there ? os::unique_name(kTemporaryPrefix) : task.entry.name;
  make_special(directory, name, task.entry, blame);
  const auto failures = set(directory, name, task, nullptr);
  if (task.there) replace_name(directory, name, task.entry.name, *task.there, blame);
  if (!failures.empty()) run_.not_restored(task.place(), failures);
}

// The same thing was there: only what differs is set, and nothing through a name of it that may lie elsewhere.
void Specials::touch(int directory, const FileTask& task) {
  const auto& there = *task.there;
  const auto& options = run_.options();
  if (options.dry_run || options.overwrite == RestoreOptions::Overwrite::never || there.nlink > 1) return;
  const bool same_mode = task.entry.type == EntryType::symlink || there.mode == task.entry.mode;
  if (same_mode && there.uid == task.entry.uid && there.gid == task.entry.gid && there.mtime == task.entry.mtime) return;
  const auto failures = set(directory, task.entry.name, task, &there);
  if (!failures.empty()) run_.not_restored(task.place(), failures);
}

// By a descriptor of it: the name may mean another file at any time. `known`: what was seen under the name; null: it was just
// made. A second name that somebody gives a file of another place would show in the number of its links.
std::string Specials::set(int directory, const std::string& name, const FileTask& task, const os::FileStatus* known) {
  const os::Blame blame{Code::source, task.entry.name};
  const auto fd = os::open_at(directory, name.c_str(), O_PATH | O_NOFOLLOW, 0, blame);
  const auto status = os::status_of(fd.get(), blame);
  const bool same = known == nullptr || (status.ino == known->ino && status.dev == known->dev);
  if (!same || status.type != task.entry.type || status.nlink != 1) {
    throw Error(Code::source, "was replaced by somebody while it was being restored", task.entry.name);
  }
  const os::Node node{fd.get(), true};
  if (task.entry.type == EntryType::symlink) return run_.metadata().set_link(node, task.entry, blame);
  return run_.metadata().set_new(node, task.entry, false, MetadataSetter::Time::set, blame);
}

}  // namespace mbu::ops
