#include "api/watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "api/watch_board.hpp"
#include "api/watch_retention.hpp"
#include "ops/backup/backup.hpp"
#include "ops/watch/watch.hpp"
#include "source/selection.hpp"

namespace mbu::api {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
// The records of what changes are put again and again.
constexpr std::size_t kRecordsInMemory = 1000;

ops::FeedKind kind_of(WatchOptions::Feed feed) {
  switch (feed) {
    case WatchOptions::Feed::automatic: return ops::FeedKind::automatic;
    case WatchOptions::Feed::fanotify: return ops::FeedKind::fanotify;
    case WatchOptions::Feed::inotify: return ops::FeedKind::inotify;
    case WatchOptions::Feed::poll: return ops::FeedKind::poll;
  }
  return ops::FeedKind::automatic;
}

std::int64_t now_s() { return system_clock().wall().seconds; }

enum class Began { as_owner, as_writer };  // whose keys the watcher was started with, whether or not it has them still

// A writer goes on as his owner's configuration is; an owner is told what to do.
void check_keys_to_forget(const repo::Context& context, const WatchOptions& options, Began began) {
  if (options.keep.empty()) return;
  if (began == Began::as_writer) {
    context.events.warning("old snapshots are not forgotten as watcher.keep says: that takes the owner's keys");
  } else if (!options.keep_owner) {
    throw Error(Code::usage, "forgetting old snapshots takes the owner's keys, which a watcher drops after its first snapshot", "watcher.keep",
                "start mbu watch --keep-owner DIR, so that they stay in memory, or take keep out of the configuration");
  }
}

// `all` with those that the options name now in place of those that they named before. One may be named by others as well: each counts.
std::vector<std::string> exchanged(std::vector<std::string> all, std::vector<std::string> before, const std::vector<std::string>& now) {
  std::ranges::sort(all);
  std::ranges::sort(before);
  auto result = now;
  std::ranges::set_difference(all, before, std::back_inserter(result));
  return result;
}

Began began_with(const repo::Vault& vault) { return vault.keyring().is_owner() ? Began::as_owner : Began::as_writer; }

class Watch {
 public:
  Watch(const repo::Context& context, repo::Vault& vault, const WatchOptions& options, const std::vector<std::string>& own_directories)
      : context_(context),
        options_(options),
        own_directories_(own_directories),
        vault_(vault),
        began_(began_with(vault)),
        sight_(open_sight(options_, own_directories_)),
        board_(context.state.directory(), first_status()),
        series_(context, options_.backup, own_directories_),
        retention_(context, vault) {
    series_.tell(hard_links_);
    context_.cache.keep_back(kRecordsInMemory);
  }

  void run() {
    while (watch_once() == ops::WatchEnd::reload) reload();
    context_.cache.write_back();
    series_.write_back();
  }

 private:
  [[nodiscard]] WatcherStatus first_status() const {
    WatcherStatus status;
    status.process = ::getpid();
    status.location = context_.vault.store().location();
    status.repository = context_.vault.keyring().repository().hex();
    status.paths = options_.backup.paths;
    status.started_s = now_s();
    status.keeps_owner = context_.vault.keyring().is_owner();
    return status;
  }

  // What is watched, and the feed that tells of it.
  struct Sight {
    std::unique_ptr<source::Selector> selector;
    std::unique_ptr<ops::Feed> feed;  // asks the selector
  };
  [[nodiscard]] Sight open_sight(const WatchOptions& options, const std::vector<std::string>& own_directories) const {
    Sight sight;
    sight.selector = std::make_unique<source::Selector>(options.backup.selection, options.backup.paths, own_directories);
    sight.feed = ops::open_feed(kind_of(options.feed), {options.backup.paths,
                                                        [selector = sight.selector.get()](const std::string& path) { return !selector->excludes(path, true); },
                                                        [this](const std::string& text) { context_.events.warning(text); },
                                                        options.poll_interval_ms * kMillisecond});
    return sight;
  }

  // With the options as they are.
  ops::WatchEnd watch_once() {
    auto* const feed = sight_.feed.get();
    const auto warn = [&](const std::string& text) { context_.events.warning(text); };
    board_.update([&](WatcherStatus& status) { status.feed = feed->name(); });
    ops::WatchHooks hooks;
    hooks.ready = [&] {
      if (options_.ready) options_.ready(std::string(feed->name()));
    };
    hooks.package = [this](const ingest::Dirty& dirty) { return package(dirty); };
    hooks.found_dirty = [this] { return hard_links_.take_stale(); };
    hooks.state = [&](WatcherStatus::Activity activity, std::uint64_t pending) {
      board_.update([&](WatcherStatus& status) {
        status.activity = activity;
        status.pending_directories = pending;
        status.lost_events = lost_before_ + feed->lost();
      });
    };
    hooks.compared = [&](bool missed) {
      // Under new keys everything is written anew when it is looked at, though it has not changed.
      const auto generation = vault_.keyring().own_domain().generation;
      const bool same_keys = std::exchange(compared_under_, generation) == generation;
      if (missed && same_keys) warn("a comparison of everything found changes that " + std::string(feed->name()) + " had not told");
      board_.update([&](WatcherStatus& status) {
        status.compared_s = now_s();
        status.missed += missed && same_keys ? 1 : 0;
      });
    };
    hooks.failed = [&](const Error& error, std::int64_t seconds) {
      warn(std::string(error.what()) + "; what has changed is tried again in " + std::to_string(seconds) + " s");
      board_.update([&](WatcherStatus& status) { status.error = error.what(); });
    };
    hooks.alive = [this] {
      if (options_.alive) options_.alive();
    };
    hooks.control = options_.control;
    hooks.had_snapshot = series_began_;
    hooks.input = options_.input;
    hooks.on_input = options_.on_input;
    const auto end = ops::watch(*feed, {options_.settle_ms * kMillisecond, options_.max_delay_ms * kMillisecond,
                                        options_.reconcile_ms * kMillisecond, options_.alive_ms * kMillisecond}, hooks);
    lost_before_ += feed->lost();
    return end;
  }

  void reload() {
    if (!options_.reload) return;
    try {
      auto next = options_.reload();
      next.backup.paths = options_.backup.paths;
      next.keep_owner = options_.keep_owner;
      check_keys_to_forget(context_, next, began_);
      auto own_directories = exchanged(own_directories_, options_.backup.own_directories, next.backup.own_directories);
      sight_ = open_sight(next, own_directories);
      options_ = std::move(next);
      own_directories_ = std::move(own_directories);
      series_.select_anew();
    } catch (const Error& error) {
      const std::string next = error.next().empty() ? "" : ": " + error.next();
      context_.events.warning(std::string(error.what()) + "; everything stays as it was" + next);
    }
  }

  bool package(const ingest::Dirty& dirty) {
    if (series_began_ && !dirty.is_everything() && options_.change) options_.change(dirty.size());
    if (vault_.refresh()) {  // a writer may have been removed
      vault_.require_writable();
      series_.look_again();
      tell_old_keys();
    }
    const auto summary = series_began_ ? series_.snapshot_if_changed(&dirty) : series_.snapshot(&dirty);
    if (!std::exchange(series_began_, true)) begin_series();
    board_.update([&](WatcherStatus& status) {
      status.error.clear();
      if (!summary.snapshot) return;
      ++status.snapshots;
      status.last_snapshot = summary.snapshot->hex();
      status.last_snapshot_s = now_s();
      status.problems = summary.problems;
    });
    if (!summary.snapshot) return false;
    if (options_.published) options_.published(summary);
    thin_out();
    return true;
  }

  // This watcher's password or credential may have been taken away or changed before the keys were rotated: then it was given none.
  void tell_old_keys() {
    const auto own = vault_.keyring().own_domain().generation;
    const auto current = vault_.constitution().generation;
    if (own >= current || std::exchange(told_of_, current) == current) return;
    context_.events.warning("this watcher was not given the keys of generation " + std::to_string(current) + " and goes on under those of " +
                            std::to_string(own) + ": start it again");
  }

  // The snapshot is there: whatever goes wrong here is no reason to make it again.
  void thin_out() {
    if (!context_.vault.keyring().is_owner()) return;
    try {
      retention_.made(series_.last(), options_.keep);
    } catch (const SyncFailed&) {
      throw;
    } catch (const Error& error) {
      context_.events.warning("old snapshots were not forgotten: " + std::string(error.what()));
    }
  }

  // From now on a writer's keys are enough.
  void begin_series() {
    series_.keep_pages();
    context_.cache.write_back();  // what was looked at for the first snapshot need not be after a crash
    if (options_.keep_owner) return;
    vault_.drop_owner();
    board_.update([](WatcherStatus& status) { status.keeps_owner = false; });
  }

  const repo::Context& context_;
  WatchOptions options_;
  std::vector<std::string> own_directories_;  // those of the options, and the repository's
  repo::Vault& vault_;
  const Began began_;
  Sight sight_;
  WatchBoard board_;
  ops::BackupSeries series_;
  WatchRetention retention_;
  ingest::HardLinks hard_links_;
  bool series_began_ = false;
  std::uint32_t compared_under_ = vault_.keyring().own_domain().generation;
  std::uint32_t told_of_ = 0;  // a generation whose keys it was not given
  std::uint64_t lost_before_ = 0;  // events, by feeds before this
};

}  // namespace

void watch(const repo::Context& context, repo::Vault& vault, const WatchOptions& options, const std::vector<std::string>& own_directories) {
  check_keys_to_forget(context, options, began_with(vault));
  vault.require_writable();
  Watch(context, vault, options, own_directories).run();
}

}  // namespace mbu::api
