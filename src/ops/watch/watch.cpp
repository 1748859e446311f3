#include "ops/watch/watch.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.hpp"

namespace mbu::ops {
namespace {

std::int64_t now_ns() { return system_clock().monotonic_ns(); }

class Watcher {
 public:
  Watcher(Feed& feed, const WatchTimes& times, const WatchHooks& hooks)
      : feed_(feed), times_(times), hooks_(hooks), input_(hooks.input) {}

  void run() {
    hooks_.ready();
    reconcile();
    while (!stopping()) {
      wait();
      collect();
      const auto now = now_ns();
      if (now >= next_reconciliation_) {
        reconcile();
      } else if (!dirty_.empty() && now >= packaging_due()) {
        package();
      }
    }
    // What has changed by now, though nothing may tell of it before the next round; and once more what that brings to light.
    collect();
    if (feed_.due()) dirty_.add_everything();
    for (int last = 0; last < 2 && !dirty_.empty(); ++last) package();
  }

 private:
  [[nodiscard]] bool stopping() const { return hooks_.control != nullptr && hooks_.control->stopping(); }

  // When quiet has lasted, or cannot be waited for any longer.
  [[nodiscard]] std::int64_t packaging_due() const {
    return std::min(last_change_ + times_.settle_ns, first_change_ + times_.max_delay_ns);
  }

  [[nodiscard]] std::int64_t next_due() const {
    auto due = next_reconciliation_;
    if (!dirty_.empty()) due = std::min(due, packaging_due());
    if (const auto asked = feed_.due()) due = std::min(due, *asked);
    return due;
  }

  // Until something is readable or due.
  void wait() {
    std::array<pollfd, 3> all{{{feed_.descriptor(), POLLIN, 0},
                               {hooks_.control == nullptr ? -1 : hooks_.control->descriptor(), POLLIN, 0},
                               {input_, POLLIN, 0}}};
    const auto left = std::max<std::int64_t>(0, next_due() - now_ns());
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    if (::ppoll(all.data(), all.size(), &timeout, nullptr) < 0 && errno != EINTR) {
      throw Error(Code::failed, "cannot wait for changes", {}, {}, errno);
    }
    if (all[2].revents != 0 && !hooks_.on_input()) input_ = -1;
  }

  void collect() {
    const auto asked = feed_.due();
    const bool round = asked && now_ns() >= *asked;
    ingest::Dirty told;
    feed_.collect(told);
    if (!add(told)) return;
    // Nobody waits for quiet when it was not an event that told.
    if (round) first_change_ = last_change_ - times_.max_delay_ns;
    round_ = round_ || round;
  }

  bool add(const ingest::Dirty& told) {
    if (told.empty()) return false;
    last_change_ = now_ns();
    if (dirty_.empty()) first_change_ = last_change_;
    dirty_.merge(told);
    return true;
  }

  bool package() {
    const auto dirty = std::exchange(dirty_, {});
    const auto start = now_ns();
    const bool changed = hooks_.package(dirty);
    if (std::exchange(round_, false)) feed_.compared(now_ns() - start);
    add(hooks_.found_dirty());
    return changed;
  }

  // Everything is compared: at the start, and from time to time to prove that nothing was missed.
  void reconcile() {
    const bool first = next_reconciliation_ == 0;
    const bool expected = !dirty_.empty() || feed_.descriptor() < 0;
    dirty_.add_everything();
    round_ = true;
    const bool changed = package();
    collect();  // what changed while everything was looked at is told by now
    if (changed && !first && !expected && dirty_.empty()) {
      hooks_.warn("a comparison of everything found changes that " + std::string(feed_.name()) + " had not told");
    }
    next_reconciliation_ = now_ns() + times_.reconcile_ns;
  }

  Feed& feed_;
  const WatchTimes& times_;
  const WatchHooks& hooks_;
  int input_;
  ingest::Dirty dirty_;
  bool round_ = false;  // of it, what the feed asked to compare without an event
  std::int64_t first_change_ = 0, last_change_ = 0;
  std::int64_t next_reconciliation_ = 0;
};

}  // namespace

void watch(Feed& feed, const WatchTimes& times, const WatchHooks& hooks) { Watcher(feed, times, hooks).run(); }

}  // namespace mbu::ops
