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

Batch::Batch(Run& run) : run_(run), writer_(run), reader_(run.context().vault, run.index()) {
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

void Batch::settle_group(const FileTask& special, int directory) {
  if (special.links == nullptr) return;
  const os::Blame blame{Code::source, special.entry.name};
  const auto made = os::status_at(directory, special.entry.name.c_str(), os::Links::keep, blame);
  special.links->state = made ? LinkGroup::State::done : LinkGroup::State::unavailable;
  if (!made) return;
  special.links->ino = made->ino;
  special.links->dev = made->dev;
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
  const bool replaceable = !task->there || may_replace(run_.options().overwrite, task->entry, *task->there);
  if (group.state == LinkGroup::State::done) {
    const bool linked = task->there && task->there->ino == group.ino && task->there->dev == group.dev;
    if (linked || (replaceable && try_link(*task, group))) {
      ++(linked ? run_.counters().files_unchanged : run_.counters().files_restored);
      if (task->entry.is_regular()) {
        (linked ? run_.counters().bytes_unchanged : run_.counters().bytes_restored) += task->entry.size;
      }
      return run_.done(task->entry, task->path());
    }
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
  run_.not_restored(task->place(), "the file that it is another name of is not there");
  run_.done(task->entry, task->path());
}

bool Batch::try_link(FileTask& task, const LinkGroup& group) {
  const os::Blame blame{Code::source, task.entry.name};
  try {
    const auto from = run_.directories().open(*group.directory);
    const auto to = run_.directories().open(*task.directory);
    const auto name = task.there ? os::unique_name(kTemporaryPrefix) : task.entry.name;
    if (::linkat(from->get(), group.name.c_str(), to->get(), name.c_str(), 0) != 0) {
      throw os::system_error(blame, "make the link", errno);
    }
    if (task.there) replace_name(to->get(), name, task.entry.name, *task.there, blame);
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    if (needs_own_file(error)) return false;  // no links here: a file of its own
    run_.failed_at(task.place(), error);
    return true;
  }
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
