// Watches every directory by inotify(7): events name a directory and what is in it; a new directory is watched as soon as it is told of.
//
// Every event about a directory's name is met alike: whatever is there now is watched, whatever was known there is forgotten. So a chain
// of renames needs no replay: when its events are read, their order has passed, and the last look at each name is the right one.
//
// What inotify does not tell: mounts (the mount table is watched for those); writes through a shared mapping, or through another hard
// link outside; changes that other machines make to a network file system; and a change of the target's way where the way to a watched
// path goes through a symlink.
//
// Costs about 1 KiB of the kernel's memory and 0.3 KiB of ours a directory.
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ops/watch/feed.hpp"
#include "ops/watch/inotify_tree.hpp"
#include "ops/watch/mount_table.hpp"
#include "ops/watch/poll_timer.hpp"
#include "ops/watch/wakeup.hpp"

namespace mbu::ops {
namespace {

using Scope = ingest::Dirty::Scope;

constexpr std::size_t kBuffer = 64U << 10;
constexpr int kReadsAtOnce = 64;  // then collect() returns, however fast events come

// Something else may be at a name.
constexpr std::uint32_t kNames = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

struct Event {
  int watch;
  std::uint32_t mask;
  std::string_view name;  // empty: of the watched directory itself
  [[nodiscard]] bool has(std::uint32_t bits) const noexcept { return (mask & bits) != 0; }
};

class InotifyFeed final : public Feed {
 public:
  explicit InotifyFeed(FeedRequest request);

  std::string_view name() const override { return "inotify"; }
  int descriptor() const override { return wakeup_.descriptor(); }
  void collect(ingest::Dirty& dirty) override;
  [[nodiscard]] std::uint64_t lost() const override { return lost_; }
  std::optional<std::int64_t> due() const override;
  void compared(std::int64_t duration_ns) override;

 private:
  void start(ingest::Dirty& dirty);
  [[nodiscard]] bool read_events(ingest::Dirty& dirty);
  void take(const Event& event, ingest::Dirty& dirty);
  void take_above(const std::string& directory, const Event& event, ingest::Dirty& dirty);
  void take_inside(const std::string& directory, const Event& event, ingest::Dirty& dirty);
  void take_mounts(ingest::Dirty& dirty);
  void restart(const std::string& path, ingest::Dirty& dirty);
  void renew(const std::string& directory, ingest::Dirty& dirty);
  void poll(ingest::Dirty& dirty);

  FeedRequest request_;
  WatchedPaths paths_;
  InotifyTree tree_;
  InotifyWatches* watches_ = nullptr;  // of tree_
  MountTable mounts_;
  Wakeup wakeup_;  // by the watches and the mount table
  PollTimer timer_;
  bool polled_ = false;                 // since the last comparison
  std::vector<std::string> unmounted_;  // where a file system went away
  int last_ = -1;                       // the watch whose directories were added last
  std::uint64_t lost_ = 0;
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
};

InotifyFeed::InotifyFeed(FeedRequest request)
    : request_(std::move(request)),
      paths_(request_.paths),
      tree_(request_, paths_),
      timer_(request_.poll_interval_ns) {
  if (mounts_.descriptor() >= 0) wakeup_.add(mounts_.descriptor(), EPOLLPRI);
  ingest::Dirty nothing_is_packaged_yet;
  start(nothing_is_packaged_yet);
}

// A new instance, since no watch is to be trusted once events were lost: what was moved is known by its old path.
void InotifyFeed::start(ingest::Dirty& dirty) {
  watches_ = &tree_.start();
  wakeup_.add(watches_->descriptor(), EPOLLIN);
  restart("/", dirty);
}

void InotifyFeed::collect(ingest::Dirty& dirty) {
  last_ = -1;
  if (!read_events(dirty)) {
    ++lost_;
    start(dirty);
  }
  take_mounts(dirty);
  poll(dirty);
}

// Whether the kernel could queue them all.
bool InotifyFeed::read_events(ingest::Dirty& dirty) {
  for (int reads = 0; reads < kReadsAtOnce; ++reads) {
    const auto got = ::read(watches_->descriptor(), buffer_.get(), kBuffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) throw os::system_error({Code::failed, {}}, "read what has changed", errno);
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event head{};
      std::memcpy(&head, buffer_.get() + at, sizeof head);
      const char* const name = buffer_.get() + at + sizeof head;
      if ((head.mask & IN_Q_OVERFLOW) != 0) return false;
      take({head.wd, head.mask, head.len == 0 ? std::string_view() : std::string_view(name)}, dirty);
      at += sizeof head + head.len;
    }
  }
  return true;
}

void InotifyFeed::take(const Event& event, ingest::Dirty& dirty) {
  if (event.has(IN_IGNORED)) return watches_->ended(event.watch);
  const bool of_a_file = !event.name.empty() && !event.has(IN_ISDIR);
  if (of_a_file && event.watch == last_) return;
  last_ = event.name.empty() ? -1 : event.watch;
  for (const auto& directory : watches_->paths_of(event.watch)) {
    if (event.has(IN_UNMOUNT)) {
      unmounted_.push_back(directory);
    } else if (paths_.is_above(directory)) {
      last_ = -1;  // there the name matters
      take_above(directory, event, dirty);
    } else {
      take_inside(directory, event, dirty);
    }
  }
}

void InotifyFeed::take_above(const std::string& directory, const Event& event, ingest::Dirty& dirty) {
  if (event.name.empty()) {
    if (event.has(IN_DELETE_SELF | IN_MOVE_SELF)) restart(directory, dirty);
    return;
  }
  if (!paths_.is_step(directory, event.name)) return;
  const auto path = join_path(directory, event.name);
  // A directory whose attributes change may be one that can be entered now.
  const bool may_open = event.has(IN_ATTRIB) && event.has(IN_ISDIR) && !watches_->find(path);
  if (event.has(kNames) || may_open) {
    restart(path, dirty);
  } else {
    dirty.add(directory, Scope::entries);
  }
}

void InotifyFeed::take_inside(const std::string& directory, const Event& event, ingest::Dirty& dirty) {
  if (event.name.empty() && event.has(IN_DELETE_SELF | IN_MOVE_SELF)) {
    if (paths_.all().contains(directory)) restart(directory, dirty);
    return;  // the directory around any other has told
  }
  dirty.add(directory, Scope::entries);
  if (event.name.empty() || !event.has(IN_ISDIR)) return;
  const auto path = join_path(directory, event.name);
  if (event.has(kNames) || (event.has(IN_ATTRIB) && !watches_->find(path))) renew(path, dirty);
}

// What is below a mount point is another tree than before.
void InotifyFeed::take_mounts(ingest::Dirty& dirty) {
  auto points = mounts_.changed();
  points.insert(points.end(), unmounted_.begin(), unmounted_.end());
  unmounted_.clear();
  for (const auto& point : points) {
    if (!paths_.within(point).empty()) {
      restart(point, dirty);
    } else if (watches_->find(parent_path(point)) && paths_.around(point) != nullptr) {
      dirty.add(parent_path(point), Scope::entries);
      renew(point, dirty);
    }
  }
}

// All that is watched at or below `path`, as it is now.
void InotifyFeed::restart(const std::string& path, ingest::Dirty& dirty) {
  for (const auto& watched : paths_.within(path)) {
    for (const auto& directory : WatchedPaths::way_to(watched)) {
      if (is_within(directory, path)) dirty.add(directory, Scope::entries);
    }
    const bool is_directory = tree_.restart(watched);
    dirty.add(is_directory ? watched : parent_path(watched), is_directory ? Scope::subtree : Scope::entries);
  }
}

// What is at a path inside, as it is now; the directory that it is in is dirty already.
void InotifyFeed::renew(const std::string& directory, ingest::Dirty& dirty) {
  if (tree_.renew(directory)) dirty.add(directory, Scope::subtree);
}

std::optional<std::int64_t> InotifyFeed::due() const {
  return tree_.unwatched().empty() ? std::nullopt : std::optional(timer_.due());
}

// What is compared because it was told says nothing of what polling costs, nor may it put polling off.
void InotifyFeed::compared(std::int64_t duration_ns) {
  if (std::exchange(polled_, false)) timer_.compared(duration_ns);
}

// They are tried again, too: watches may have become free.
void InotifyFeed::poll(ingest::Dirty& dirty) {
  if (tree_.unwatched().empty() || !timer_.is_due()) return;
  const std::vector<std::string> paths(tree_.unwatched().begin(), tree_.unwatched().end());
  for (const auto& path : paths) {
    if (paths_.all().contains(path)) {
      tree_.restart(path);
    } else {
      tree_.renew(path);
    }
    dirty.add(path, Scope::subtree);
  }
  timer_.restart();
  polled_ = true;
}

}  // namespace

std::unique_ptr<Feed> open_inotify_feed(FeedRequest request) { return std::make_unique<InotifyFeed>(std::move(request)); }

}  // namespace mbu::ops
