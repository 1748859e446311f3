// Feed: what tells a watcher that something below the watched paths has changed.
//
// What a feed says is a hint: the directories it names are compared, never believed. What it promises is that no change is missed for
// good: what it cannot name exactly (a queue that overflowed, a watch that was lost, a path that is mounted over) it names by a
// subtree. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/dirty.hpp"

namespace mbu::ops {

class Feed {
 public:
  virtual ~Feed() = default;
  // "fanotify", "inotify" or "poll".
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Readable when collect() has something to tell; -1: it never tells so.
  [[nodiscard]] virtual int descriptor() const = 0;
  // Adds what has changed since the last call. Does not wait. Code::failed when it cannot watch any more.
  virtual void collect(ingest::Dirty& dirty) = 0;
  // When collect() wants to be called though nothing is readable, on the monotonic clock in nanoseconds; nothing: never.
  [[nodiscard]] virtual std::optional<std::int64_t> due() const { return std::nullopt; }
  // How often it was not told enough, and named a subtree instead.
  [[nodiscard]] virtual std::uint64_t lost() const { return 0; }
  // A comparison of everything that this feed asked for took so long: what it chooses its intervals by.
  virtual void compared(std::int64_t /*duration_ns*/) {}
  // Everything is about to be compared: what is not watched any more, though nobody has told, is watched again.
  virtual void begin_again() {}
};

struct FeedRequest {
  std::vector<std::string> paths;  // to watch: absolute; directories or single files
  // Whether anything below this directory is packaged; asked before it is watched. Absolute path.
  std::function<bool(const std::string& directory)> enters;
  // Told once of what the user should know.
  std::function<void(const std::string& text)> warn;
  std::int64_t poll_interval_ns = 0;  // 0: 150 times what the last comparison took, at least 2 s
};

enum class FeedKind { automatic, fanotify, inotify, poll };

// Watches from now on: what changes after this returns will be told. `automatic`: the best that this process may use. Code::failed,
// naming what to do, when the kind asked for is not to be had.
[[nodiscard]] std::unique_ptr<Feed> open_feed(FeedKind kind, FeedRequest request);

[[nodiscard]] std::unique_ptr<Feed> open_inotify_feed(FeedRequest request);
[[nodiscard]] std::unique_ptr<Feed> open_fanotify_feed(FeedRequest request);
[[nodiscard]] std::unique_ptr<Feed> open_poll_feed(FeedRequest request);

}  // namespace mbu::ops
