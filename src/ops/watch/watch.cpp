#include "ops/watch/watch.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ops/watch/suspension.hpp"

namespace mbu::ops {
namespace {

using Activity = WatcherStatus::Activity;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kFirstRetry = 1 * kSecond;
constexpr std::int64_t kLastRetry = 60 * kSecond;

std::int64_t processor_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * kSecond + used.tv_nsec;
}

bool may_pass(const Error& error) noexcept { return error.code() == Code::store; }

class Watcher {
 public:
  Watcher(Feed& feed, const WatchTimes& times, const WatchHooks& hooks)
      : feed_(feed), times_(times), hooks_(hooks), clock_(*hooks.clock), input_(hooks.input), packaged_(hooks.had_snapshot) {}

  WatchEnd run() {
    hooks_.ready();
    reconcile();
    while (!stopping()) {
      if (wait() == Woken::to_reload && !stopping()) return WatchEnd::reload;
      collect();
      look_after_sleep();
      const auto now = now_ns();
      if (clock_.boottime_ns() >= next_reconciliation_ && now >= retry_at_) {
        reconcile();
      } else if (!dirty_.empty() && now >= packaging_due()) {
        package();
      }
    }
    // What has changed by now, though nothing may tell of it before the next round; and once more what that brings to light.
    collect();
    if (feed_.due()) dirty_.add_everything();
    for (int last = 0; last < 2 && !dirty_.empty(); ++last) package();
    return WatchEnd::stopped;
  }

 private:
  [[nodiscard]] std::int64_t now_ns() const { return clock_.monotonic_ns(); }
  [[nodiscard]] bool stopping() const { return hooks_.control != nullptr && hooks_.control->stopping(); }

  // When quiet has lasted, or cannot be waited for any longer; but not before the next try.
  [[nodiscard]] std::int64_t packaging_due() const {
    return std::max(retry_at_, std::min(last_change_ + times_.settle_ns, first_change_ + times_.max_delay_ns));
  }

  [[nodiscard]] std::int64_t next_due() const {
    auto due = std::max(retry_at_, now_ns() + next_reconciliation_ - clock_.boottime_ns());
    if (!dirty_.empty()) due = std::min(due, packaging_due());
    if (const auto asked = feed_.due()) due = std::min(due, *asked);
    if (times_.alive_ns != 0) due = std::min(due, alive_at_);
    return due;
  }

  enum class Woken { usually, to_reload };
  // Until something is readable or due.
  Woken wait() {
    std::array<pollfd, 4> all{{{feed_.descriptor(), POLLIN, 0},
                               {hooks_.control == nullptr ? -1 : hooks_.control->descriptor(), POLLIN, 0},
                               {input_, POLLIN, 0},
                               {suspension_.descriptor(), POLLIN, 0}}};
    const auto now = now_ns();
    if (times_.alive_ns != 0 && now >= alive_at_) {
      hooks_.alive();
      alive_at_ = now + times_.alive_ns;
    }
    const auto left = std::max<std::int64_t>(0, next_due() - now);
    const timespec timeout{left / kSecond, left % kSecond};
    if (::ppoll(all.data(), all.size(), &timeout, nullptr) < 0 && errno != EINTR) {
      throw Error(Code::failed, "cannot wait for changes", {}, {}, errno);
    }
    if (all[2].revents != 0 && !hooks_.on_input()) input_ = -1;
    // What was typed may have asked for it just now.
    const bool asked = all[1].revents != 0 || all[2].revents != 0;
    return asked && hooks_.control != nullptr && hooks_.control->take_reload() ? Woken::to_reload : Woken::usually;
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

  // What has changed while the machine slept.
  void look_after_sleep() {
    if (!suspension_.has_passed()) return;
    ingest::Dirty everything;
    everything.add_everything();
    add(everything);
  }

  bool add(const ingest::Dirty& told) {
    if (told.empty()) return false;
    last_change_ = now_ns();
    if (dirty_.empty()) first_change_ = last_change_;
    dirty_.merge(told);
    hooks_.state(retry_at_ == 0 ? Activity::waiting : Activity::retrying, dirty_.size());
    return true;
  }

  bool package() {
    const auto dirty = std::exchange(dirty_, {});
    const auto start = now_ns(), start_processor = processor_ns();
    hooks_.state(dirty.is_everything() ? Activity::comparing : Activity::packaging, dirty.size());
    if (dirty.is_everything()) feed_.begin_again();
    bool changed = false;
    try {
      changed = hooks_.package(dirty);
    } catch (const SyncFailed&) {
      throw;
    } catch (const Error& error) {
      if (!may_pass(error) || !packaged_ || stopping()) throw;
      try_again(dirty, error);
      return false;
    }
    packaged_ = true;
    retry_at_ = 0;
    // Several threads may have worked at once: what it cost counts, if that is more than the time it took.
    if (std::exchange(round_, false)) feed_.compared(std::max(now_ns() - start, processor_ns() - start_processor));
    hooks_.state(Activity::waiting, 0);
    add(hooks_.found_dirty());
    return changed;
  }

  // Nothing is lost: it stays dirty.
  void try_again(const ingest::Dirty& dirty, const Error& error) {
    retry_ns_ = retry_at_ == 0 ? kFirstRetry : std::min(2 * retry_ns_, kLastRetry);
    hooks_.failed(error, retry_ns_ / kSecond);
    dirty_.merge(dirty);
    retry_at_ = now_ns() + retry_ns_;
    hooks_.state(Activity::retrying, dirty_.size());
  }

  // Everything is compared: at the start, and from time to time to prove that nothing was missed.
  void reconcile() {
    const bool first = next_reconciliation_ == 0;
    // What is polled is not told before it is due.
    const bool expected = !dirty_.empty() || feed_.due();
    dirty_.add_everything();
    round_ = true;
    const bool changed = package();
    if (retry_at_ != 0) return;
    collect();  // what changed while everything was looked at is told by now
    hooks_.compared(changed && !first && !expected && dirty_.empty());
    next_reconciliation_ = clock_.boottime_ns() + times_.reconcile_ns;
  }

  Feed& feed_;
  const WatchTimes& times_;
  const WatchHooks& hooks_;
  const Clock& clock_;
  Suspension suspension_{clock_};
  int input_;
  ingest::Dirty dirty_;
  bool round_ = false;     // of it, what the feed asked to compare without an event
  bool packaged_;          // once, at least
  std::int64_t first_change_ = 0, last_change_ = 0;
  std::int64_t next_reconciliation_ = 0;  // by the clock that goes on while the machine sleeps; all others by the one that does not
  std::int64_t retry_at_ = 0, retry_ns_ = 0;  // 0: the last packaging went well
  std::int64_t alive_at_ = 0;
};

}  // namespace

WatchEnd watch(Feed& feed, const WatchTimes& times, const WatchHooks& hooks) { return Watcher(feed, times, hooks).run(); }

}  // namespace mbu::ops
