#include "ops/restore/batch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/parallel.hpp"
#include "format/page.hpp"
#include "ops/restore/content_plan.hpp"
#include "ops/restore/places.hpp"

namespace mbu::ops {
namespace {

constexpr std::size_t kMostTasks = 20'000;
constexpr std::size_t kMostDirectories = 20'000;
constexpr std::size_t kMostWeight = 32U << 20;
// Each comparer keeps blocks of its own.
constexpr unsigned kMostComparers = 4;
// Neighbours have their bytes in the same block.
constexpr std::size_t kComparedAtOnce = 64;

using Overwrite = RestoreOptions::Overwrite;

// Calls work(worker, item) for all items, neighbours by the same worker.
template <class Work>
void for_each_in_runs(std::size_t workers, const std::vector<FileTask*>& items, Work work) {
  const std::size_t runs = (items.size() + kComparedAtOnce - 1) / kComparedAtOnce;
  parallel_for(static_cast<unsigned>(std::min(workers, runs)), runs, [&](unsigned worker, std::size_t run) {
    const std::size_t end = std::min(items.size(), (run + 1) * kComparedAtOnce);
    for (std::size_t i = run * kComparedAtOnce; i < end; ++i) work(worker, *items[i]);
  });
}

// Links cannot be had here, or the first name is gone.
bool needs_own_file(const Error& error) {
  const int number = error.system_errno();
  return number == EXDEV || number == EMLINK || number == EPERM || number == EOPNOTSUPP || number == ENOENT;
}

}  // namespace

Batch::Batch(Run& run) : run_(run), writer_(run), specials_(run), reader_(run.context().vault, run.index()) {
  const unsigned comparers = std::clamp(run.context().threads, 1U, kMostComparers);
  for (unsigned i = 0; i < comparers; ++i) {
    comparers_.push_back(std::make_unique<Comparer>(run.context(), run.index()));
  }
}

Batch::~Batch() {
  for (const auto& task : tasks_) writer_.discard(*task);
}

// Empties the batch if it is full.
void Batch::make_room(const format::Entry& entry) {
  weight_ += format::entry_weight(entry);
  if (tasks_.size() + links_.size() >= kMostTasks || directories_.size() >= kMostDirectories || weight_ >= kMostWeight) {
    flush();
  }
}

void Batch::add_file(std::unique_ptr<FileTask> task) {
  make_room(task->entry);
  take(std::move(task));
}

bool Batch::add_link(std::unique_ptr<FileTask>& task) {
  const auto group = task->entry.link_group;
  if (group == 0 || run_.options().dry_run) return false;
  const auto [known, is_first] = groups_.try_emplace(group);
  if (is_first) {
    known->second = std::make_unique<LinkGroup>();
    known->second->directory = task->directory;
    known->second->name = task->entry.name;
    task->links = known->second.get();
    return false;
  }
  make_room(task->entry);
  links_.push_back(std::move(task));
  return true;
}

void Batch::add_directory(std::shared_ptr<Directory> directory, format::Entry entry, MetadataSetter::Time time) {
  make_room(entry);
  directories_.push_back({std::move(directory), std::move(entry), time});
}

void Batch::take(std::unique_ptr<FileTask> task) {
  task->number = next_number_++;
  auto& kept = *tasks_.emplace_back(std::move(task));
  const bool torn = kept.there && kept.there->mode == kUnfinishedMode && kept.entry.mode != kUnfinishedMode;
  if (kept.there && kept.there->type == EntryType::regular && kept.there->size == kept.entry.size && !torn) {
    to_compare_.push_back(&kept);
  } else {
    settle(kept);
  }
}

// The file is not there, or differs.
void Batch::settle(FileTask& task) {
  const auto overwrite = run_.options().overwrite;
  if (task.there && !task.replace_anyway && !may_replace(overwrite, task.entry, *task.there)) return keep(task, why_kept(overwrite));
  plan(task);
}

void Batch::keep(FileTask& task, const std::string& message) {
  task.state = FileTask::State::kept;
  if (task.links != nullptr) task.links->state = LinkGroup::State::unavailable;
  ++run_.counters().files_kept;
  run_.kept(task.place(), message);
  run_.done(task.entry, task.path());
}

void Batch::plan(FileTask& task) {
  if (run_.options().dry_run) {
    task.state = FileTask::State::restored;
    ++run_.counters().files_restored;
    run_.counters().bytes_restored += task.entry.size;
    return run_.done(task.entry, task.path());
  }
  plan_content(task, reader_, run_.index(), plan_, [this] { writer_.apply(plan_); });
}

void Batch::flush() {
  do {
    compare();
    writer_.apply(plan_);
    make_links();
  } while (!to_compare_.empty() || !plan_.empty() || !links_.empty());
  if (run_.options().verify) verify();
  finish_directories();
  tasks_.clear();
  weight_ = 0;
}

void Batch::compare() {
  const auto compared = std::exchange(to_compare_, {});
  for_each_in_runs(comparers_.size(), compared,
                   [&](unsigned worker, FileTask& task) { compare_one(*comparers_[worker], task); });
  for (auto* task : compared) {
    if (task->state == FileTask::State::open) settle(*task);
  }
}

// Leaves the state open when the file differs.
void Batch::compare_one(Comparer& comparer, FileTask& task) {
  run_.context().interrupt.check();
  const os::Blame blame{Code::source, task.entry.name};
  try {
    const auto directory = run_.directories().open(*task.directory);
    const auto fd = os::open_at(directory->get(), task.entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, blame);
    const auto status = os::status_of(fd.get(), blame);
    if (status.type != EntryType::regular || status.size != task.entry.size) return;
    if (comparer.same(fd.get(), task, blame)) use_existing(task, fd.get(), status, blame);
  } catch (const Error& error) {
    if (error.code() == Code::source) return;  // what cannot be read is not known to be equal
    if (!is_damage(error)) throw;
    task.state = FileTask::State::failed;
    if (task.links != nullptr) task.links->state = LinkGroup::State::unavailable;
    run_.damaged(task.path(), error);
    run_.done(task.entry, task.path());
  }
}

// The content is right.
void Batch::use_existing(FileTask& task, int fd, const os::FileStatus& status, os::Blame blame) {
  const auto& metadata = run_.metadata();
  const bool touch = run_.options().overwrite != Overwrite::never && !run_.options().dry_run;
  // A link that was broken: with equal contents, making it again loses nothing.
  if (touch && task.linked_to != nullptr && is_version_of(*task.linked_to, task.entry) && link_now(task, *task.linked_to)) return;
  if (touch && !metadata.matches({fd, false}, task.entry, status, MetadataSetter::Time::set, blame)) {
    // Another name of this file may lie outside the target, where nothing is ours to change: a file of its own replaces it.
    task.replace_anyway = status.nlink > 1;
    if (task.replace_anyway) return;
    auto failures = metadata.set_existing({fd, false}, task.entry, status, MetadataSetter::Time::set, blame);
    if (task.entry.flags != 0 || status.flags != 0) failures += metadata.set_flags(fd, task.entry, blame);
    if (!failures.empty()) run_.not_restored(task.place(), failures);
  }
  task.state = FileTask::State::unchanged;
  if (task.links != nullptr) {
    task.links->ino = status.ino;
    task.links->dev = status.dev;
    task.links->state = LinkGroup::State::done;
  }
  ++run_.counters().files_unchanged;
  run_.counters().bytes_unchanged += task.entry.size;
  run_.done(task.entry, task.path());
}

void Batch::make_links() {
  for (auto& task : std::exchange(links_, {})) make_link(std::move(task));
}

void Batch::make_link(std::unique_ptr<FileTask> task) {
  auto& group = *groups_.at(task->entry.link_group);
  const auto& there = task->there;
  if (group.state == LinkGroup::State::done) {
    if (there && there->ino == group.ino && there->dev == group.dev) {
      ++run_.counters().files_unchanged;
      if (task->entry.is_regular()) run_.counters().bytes_unchanged += task->entry.size;
      return run_.done(task->entry, task->path());
    }
    // What was the same file as the first is no more precious than that was.
    const bool was_linked = there && group.old_ino != 0 && there->ino == group.old_ino && there->dev == group.old_dev;
    const bool replaceable = !there || was_linked || may_replace(run_.options().overwrite, task->entry, *there);
    if (replaceable && link_now(*task, group)) return;
    task->linked_to = replaceable ? nullptr : &group;
  } else if (group.state == LinkGroup::State::unavailable) {
    group.directory = task->directory;
    group.name = task->entry.name;
    group.state = LinkGroup::State::pending;
    task->links = &group;
  } else {
    links_.push_back(std::move(task));  // the new first is on its way
    return;
  }
  if (task->entry.is_regular()) return take(std::move(task));
  specials_.restore(*task);
}

// Whether the group's first, as it is in the target, is what the entry says too: a file that changed while it was packaged may differ from
// name to name.
bool Batch::is_version_of(const LinkGroup& group, const format::Entry& entry) {
  const auto directory = run_.directories().open(*group.directory);
  const auto first = os::status_at(directory->get(), group.name.c_str(), os::Links::keep, {Code::source, entry.name});
  return first && first->ino == group.ino && first->dev == group.dev && first->size == entry.size && first->mtime == entry.mtime;
}

// False when the name needs a file of its own; else all is said about it.
bool Batch::link_now(FileTask& task, const LinkGroup& group) {
  try {
    if (!try_link(task, group)) return false;
    ++run_.counters().files_restored;
    if (task.entry.is_regular()) run_.counters().bytes_restored += task.entry.size;
    task.state = FileTask::State::restored;
  } catch (const Error& error) {
    task.state = FileTask::State::failed;
    run_.failed_at(task.place(), error);
  }
  run_.done(task.entry, task.path());
  return true;
}

bool Batch::try_link(const FileTask& task, const LinkGroup& group) {
  const os::Blame blame{Code::source, task.entry.name};
  const auto to = run_.directories().open(*task.directory);
  const auto name = task.there ? os::unique_name(kTemporaryPrefix) : task.entry.name;
  try {
    link_first_as(to->get(), name, group, blame);
    if (task.there) replace_name(to->get(), name, task.entry.name, *task.there, blame);
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::source || !needs_own_file(error)) throw;
    return false;
  }
}

void Batch::link_first_as(int directory, const std::string& name, const LinkGroup& group, os::Blame blame) {
  const auto from = run_.directories().open(*group.directory);
  const auto link = [&] { return ::linkat(from->get(), group.name.c_str(), directory, name.c_str(), 0) == 0; };
  if (link()) return;
  const int number = errno;
  if (number == EPERM && unlock_first(from->get(), group, blame) && link()) return;
  throw os::system_error(blame, "make the link", number);
}

// Files that must not change take no further names. They get their flags back at the end.
bool Batch::unlock_first(int directory, const LinkGroup& group, os::Blame blame) {
  const auto status = os::status_at(directory, group.name.c_str(), os::Links::keep, blame);
  if (!status || status->type != EntryType::regular || status->ino != group.ino || status->dev != group.dev) return false;
  if ((status->flags & (os::kImmutable | os::kAppendOnly)) == 0) return false;
  unlock(directory, group.name, *status, blame);
  writer_.add_late_flags(group.directory, group.name, status->flags);
  return true;
}

void Batch::verify() {
  std::vector<FileTask*> written;
  for (const auto& task : tasks_) {
    if (task->state == FileTask::State::restored && !run_.options().dry_run) written.push_back(task.get());
  }
  for_each_in_runs(comparers_.size(), written,
                   [&](unsigned worker, FileTask& task) { verify_one(*comparers_[worker], task); });
}

void Batch::verify_one(Comparer& comparer, FileTask& task) {
  run_.context().interrupt.check();
  const os::Blame blame{Code::source, task.entry.name};
  try {
    const auto directory = run_.directories().open(*task.directory);
    const auto fd = os::open_at(directory->get(), task.entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, blame);
    const bool good = os::status_of(fd.get(), blame).size == task.entry.size && comparer.same(fd.get(), task, blame);
    if (!good) run_.not_restored(task.place(), "reads back different from what was written");
  } catch (const Error& error) {
    if (is_damage(error)) return run_.damaged(task.path(), error);
    run_.failed_at(task.place(), error);
  }
}

void Batch::finish_directories() {
  const auto& metadata = run_.metadata();
  for (const auto& left : std::exchange(directories_, {})) {
    const auto& place = left.directory->place;
    try {
      const os::Blame blame{Code::source, left.entry.name};
      const auto fd = run_.directories().open(*left.directory);
      const os::Node node{fd->get(), false};
      const auto status = os::status_of(fd->get(), blame);
      auto failures = left.directory->fresh
                          ? metadata.set_new(node, left.entry, left.directory->has_default_acl, left.time, blame)
                          : metadata.set_existing(node, left.entry, status, left.time, blame);
      if (left.entry.flags != 0 || status.flags != 0) failures += metadata.set_flags(fd->get(), left.entry, blame);
      if (!failures.empty()) run_.not_restored(place, failures);
    } catch (const Error& error) {
      run_.failed_at(place, error);
    }
  }
}

}  // namespace mbu::ops
