// Watches whole file systems by fanotify(7): no walk at the start, no memory for each directory, and the queue is the only limit. Wants the
// capabilities CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH.
//
// An event names a directory by its handle and what is in it by its name. The handle is opened to read its path, which is kept until any
// directory of the marked file systems is moved; a path is thus that of the moment or of an earlier one, after which the move that made it
// wrong is told, and both ends of that are dirty. What is not below a watched path is sorted out here: whoever changes other parts of the
// file system wakes us for nothing.
//
// What fanotify does not tell: mounts (the mount table is watched for those); writes through a shared mapping, or through another hard
// link outside; and changes that other machines make to a network file system.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>

#include "ops/watch/fanotify_marks.hpp"
#include "ops/watch/fanotify_paths.hpp"
#include "ops/watch/feed.hpp"
#include "ops/watch/mount_table.hpp"
#include "ops/watch/poll_timer.hpp"
#include "ops/watch/wakeup.hpp"

namespace mbu::ops {
namespace {

using Scope = ingest::Dirty::Scope;

constexpr std::size_t kBuffer = 64U << 10;
constexpr int kReadsAtOnce = 64;  // then collect() returns, however fast events come
constexpr std::size_t kMostEntered = 100'000;

// Something else may be at a name.
constexpr std::uint64_t kNames = FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO;

struct Event {
  std::uint64_t mask = 0;
  std::string_view fsid;
  std::string_view handle;
  std::string_view name;  // ".": of the directory itself
  [[nodiscard]] bool has(std::uint64_t bits) const noexcept { return (mask & bits) != 0; }
};

// The record of an event that names a directory and something in it; without one, the mask alone.
Event event_of(const fanotify_event_metadata& head, std::string_view records) {
  Event event;
  event.mask = head.mask;
  while (records.size() >= sizeof(fanotify_event_info_header)) {
    fanotify_event_info_header info{};
    std::memcpy(&info, records.data(), sizeof info);
    if (info.len < sizeof info || info.len > records.size()) break;
    auto record = records.substr(sizeof info, info.len - sizeof info);
    records.remove_prefix(info.len);
    file_handle handle{};
    if (info.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME || record.size() < sizeof(__kernel_fsid_t) + sizeof handle) continue;
    event.fsid = record.substr(0, sizeof(__kernel_fsid_t));
    record.remove_prefix(event.fsid.size());
    std::memcpy(&handle, record.data(), sizeof handle);
    if (record.size() < sizeof handle + handle.handle_bytes) continue;
    event.handle = record.substr(0, sizeof handle + handle.handle_bytes);
    record.remove_prefix(event.handle.size());
    event.name = record.substr(0, record.find('\0'));
  }
  return event;
}

class FanotifyFeed final : public Feed {
 public:
  explicit FanotifyFeed(FeedRequest request);

  std::string_view name() const override { return "fanotify"; }
  int descriptor() const override { return wakeup_.descriptor(); }
  void collect(ingest::Dirty& dirty) override;
  [[nodiscard]] std::uint64_t lost() const override { return lost_; }
  std::optional<std::int64_t> due() const override;
  void compared(std::int64_t duration_ns) override;
  void begin_again() override;

 private:
  enum class Unmarked { refuse, poll };
  void mark(Unmarked unmarked);
  void mark_one(const std::string& point, Unmarked unmarked);
  void could_not_mark(const std::string& place, const std::string& why, int error, Unmarked unmarked);
  [[nodiscard]] bool read_events(ingest::Dirty& dirty);
  void take(const Event& event, ingest::Dirty& dirty);
  void take_above(const std::string& directory, const Event& event, ingest::Dirty& dirty);
  void take_inside(const std::string& directory, const Event& event, ingest::Dirty& dirty);
  void take_mounts(ingest::Dirty& dirty);
  void restart(const std::string& path, ingest::Dirty& dirty);
  void add(const std::string& watched, const std::string& top, ingest::Dirty& dirty) const;
  void add_all(ingest::Dirty& dirty) const;
  void poll(ingest::Dirty& dirty);
  [[nodiscard]] bool enters(const std::string& directory);

  FeedRequest request_;
  WatchedPaths paths_;
  FanotifyPaths places_{paths_};
  FanotifyMarks marks_;
  MountTable mounts_;
  Wakeup wakeup_;  // by the marks and the mount table
  PollTimer timer_;
  std::set<std::string> unwatched_;  // polled
  bool warned_ = false;
  bool polled_ = false;  // since the last comparison
  std::unordered_map<std::string, bool> entered_;
  std::uint64_t lost_ = 0;
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
};

FanotifyFeed::FanotifyFeed(FeedRequest request)
    : request_(std::move(request)), paths_(request_.paths), timer_(request_.poll_interval_ns) {
  if (mounts_.descriptor() >= 0) wakeup_.add(mounts_.descriptor(), EPOLLPRI);
  wakeup_.add(marks_.descriptor(), EPOLLIN);
  mark(Unmarked::refuse);
  places_.look();  // what was moved before it was marked
}

// The file systems that hold the watched paths, and those that are mounted below; of one that holds but directories on the way, the names in these:
// what else happens there, perhaps a lot, is nothing to wake for. What is below and cannot be marked is polled; the others, too, when they come
// later.
void FanotifyFeed::mark(Unmarked unmarked) {
  marks_.forget_mount_points();
  unwatched_ = places_.lost();
  const auto points = mounts_.points();
  std::map<std::string, std::set<std::string>> around;  // by mount point: what it holds
  for (const auto& path : places_.all()) {
    const std::string* nearest = nullptr;
    for (const auto& point : points) {
      if (is_within(path, point) && (nearest == nullptr || nearest->size() < point.size())) nearest = &point;
    }
    if (nearest != nullptr) {
      around[*nearest].insert(path);
    } else {
      could_not_mark(path, "the mount table does not say what is mounted there", 0, unmarked);
    }
  }
  const auto is_watched = [this](const std::string& path) { return !places_.inside(path).empty(); };
  for (const auto& [point, paths] : around) {
    const auto mark_way = [this, &at = point](const std::string& path) { return marks_.mark_names(path, at) == 0; };
    const bool only_ways = std::ranges::none_of(paths, is_watched);
    if (!only_ways || !std::ranges::all_of(paths, mark_way)) mark_one(point, unmarked);
  }
  for (const auto& point : points) {
    const auto inside = places_.inside(point);
    const bool wanted = std::ranges::any_of(inside, [this](const std::string& path) { return enters(path); });
    if (wanted && !around.contains(point)) mark_one(point, Unmarked::poll);
  }
}

void FanotifyFeed::mark_one(const std::string& point, Unmarked unmarked) {
  const int error = marks_.mark(point);
  if (error == 0) return;
  const bool is_closed = error == EACCES || error == ENOENT || error == ENOTDIR;  // to whoever packages it, too
  if (is_closed && unmarked == Unmarked::poll) return;
  could_not_mark(point, std::generic_category().message(error), error, unmarked);
}

// `place`: a mount point, or a real path whose mount point is not known (a chroot, or no /proc). `error`: the errno, if there was one.
void FanotifyFeed::could_not_mark(const std::string& place, const std::string& why, int error, Unmarked unmarked) {
  if (unmarked == Unmarked::refuse) {
    throw Error(Code::failed, "cannot watch this file system by fanotify: " + why, place, "watch by inotify", error);
  }
  for (auto& path : places_.inside(place)) unwatched_.insert(std::move(path));
  unwatched_.merge(places_.within(place));
  if (std::exchange(warned_, true) || !request_.warn) return;
  request_.warn("cannot watch the file system at " + place + ": " + why + "; it is compared every now and then instead, which takes longer");
}

// A file system that was away for a moment has lost its mark, and the mount table looks as it did.
void FanotifyFeed::begin_again() {
  places_.look();
  mark(Unmarked::poll);
}

void FanotifyFeed::collect(ingest::Dirty& dirty) {
  if (!read_events(dirty)) {
    ++lost_;
    begin_again();
    add_all(dirty);
  }
  take_mounts(dirty);
  poll(dirty);
}

// Whether the kernel could queue them all.
bool FanotifyFeed::read_events(ingest::Dirty& dirty) {
  bool complete = true;
  for (int reads = 0; reads < kReadsAtOnce; ++reads) {
    const auto got = ::read(marks_.descriptor(), buffer_.get(), kBuffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) throw os::system_error({Code::failed, {}}, "read what has changed", errno);
    for (std::string_view rest(buffer_.get(), static_cast<std::size_t>(got)); rest.size() >= sizeof(fanotify_event_metadata);) {
      fanotify_event_metadata head{};
      std::memcpy(&head, rest.data(), sizeof head);
      if (head.vers != FANOTIFY_METADATA_VERSION || head.event_len < head.metadata_len || head.event_len > rest.size()) {
        throw Error(Code::failed, "cannot read what has changed: the kernel's fanotify is another one", {}, "watch by inotify");
      }
      if ((head.mask & FAN_Q_OVERFLOW) != 0) {
        complete = false;
      } else {
        take(event_of(head, rest.substr(head.metadata_len, head.event_len - head.metadata_len)), dirty);
      }
      rest.remove_prefix(head.event_len);
    }
  }
  return complete;
}

void FanotifyFeed::take(const Event& event, ingest::Dirty& dirty) {
  if (event.name.empty()) return add_all(dirty);
  const auto paths = marks_.paths_of(event.fsid, event.handle);
  const bool is_move = event.has(FAN_ONDIR) && event.has(FAN_MOVED_FROM | FAN_MOVED_TO);
  if (is_move) marks_.forget_paths();
  if (!paths) return add_all(dirty);
  for (const auto& path : *paths) {
    for (const auto& directory : places_.above(path)) take_above(directory, event, dirty);
    for (const auto& directory : places_.inside(path)) take_inside(directory, event, dirty);
  }
}

void FanotifyFeed::take_above(const std::string& directory, const Event& event, ingest::Dirty& dirty) {
  // Its own mode or owner, which the entry in the directory above has.
  if (event.name == ".") return dirty.add(parent_path(directory), Scope::entries);
  if (!paths_.is_step(directory, event.name)) return;
  if (event.has(kNames)) {
    restart(join_path(directory, event.name), dirty);
  } else {
    dirty.add(directory, Scope::entries);
  }
}

void FanotifyFeed::take_inside(const std::string& directory, const Event& event, ingest::Dirty& dirty) {
  if (!enters(directory)) return;
  dirty.add(directory, Scope::entries);
  if (!event.has(FAN_ONDIR) || !event.has(FAN_CREATE | FAN_MOVED_TO)) return;
  const auto path = join_path(directory, event.name);
  if (enters(path)) dirty.add(path, Scope::subtree);
}

// What is below a mount point is another tree than before, and may be of a file system that is not marked yet.
void FanotifyFeed::take_mounts(ingest::Dirty& dirty) {
  const auto points = mounts_.changed();
  if (points.empty()) return;
  std::set<std::string> paths;
  for (const auto& point : points) paths.merge(places_.within(point));
  places_.look();
  mark(Unmarked::poll);
  for (const auto& point : points) {
    paths.merge(places_.within(point));
    for (const auto& path : places_.inside(point)) {
      if (enters(parent_path(path))) dirty.add(path, Scope::subtree);
    }
  }
  for (const auto& path : paths) add(path, "/", dirty);
}

// All that is watched at or below `path`, as it is now.
void FanotifyFeed::restart(const std::string& path, ingest::Dirty& dirty) {
  if (places_.look()) mark(Unmarked::poll);
  for (const auto& watched : paths_.within(path)) add(watched, path, dirty);
}

// A watched path, and the way to it from `top` on.
void FanotifyFeed::add(const std::string& watched, const std::string& top, ingest::Dirty& dirty) const {
  for (const auto& directory : WatchedPaths::way_to(watched)) {
    if (is_within(directory, top)) dirty.add(directory, Scope::entries);
  }
  struct stat status {};
  const bool is_directory = ::lstat(watched.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  dirty.add(is_directory ? watched : parent_path(watched), is_directory ? Scope::subtree : Scope::entries);
}

void FanotifyFeed::add_all(ingest::Dirty& dirty) const {
  for (const auto& path : paths_.all()) add(path, "/", dirty);
}

std::optional<std::int64_t> FanotifyFeed::due() const {
  return unwatched_.empty() ? std::nullopt : std::optional(timer_.due());
}

// What is compared because it was told says nothing of what polling costs, nor may it put polling off.
void FanotifyFeed::compared(std::int64_t duration_ns) {
  if (std::exchange(polled_, false)) timer_.compared(duration_ns);
}

void FanotifyFeed::poll(ingest::Dirty& dirty) {
  if (unwatched_.empty() || !timer_.is_due()) return;
  for (const auto& path : unwatched_) dirty.add(path, Scope::subtree);
  if (places_.look()) mark(Unmarked::poll);
  timer_.restart();
  polled_ = true;
}

// Whether what is in this directory is packaged, by what is said of all directories from the watched path down to it.
bool FanotifyFeed::enters(const std::string& directory) {
  if (!request_.enters) return true;
  if (const auto known = entered_.find(directory); known != entered_.end()) return known->second;
  if (paths_.around(directory) == nullptr) return false;
  const bool above = paths_.all().contains(directory) || enters(parent_path(directory));
  const bool enters_it = above && request_.enters(directory);
  if (entered_.size() >= kMostEntered) entered_.clear();
  entered_.emplace(directory, enters_it);
  return enters_it;
}

}  // namespace

std::unique_ptr<Feed> open_fanotify_feed(FeedRequest request) { return std::make_unique<FanotifyFeed>(std::move(request)); }

}  // namespace mbu::ops
