#include "api/watch.hpp"

#include "ops/backup/backup.hpp"
#include "ops/watch/watch.hpp"
#include "source/selection.hpp"

namespace mbu::api {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

ops::FeedKind kind_of(WatchOptions::Feed feed) {
  switch (feed) {
    case WatchOptions::Feed::automatic: return ops::FeedKind::automatic;
    case WatchOptions::Feed::fanotify: return ops::FeedKind::fanotify;
    case WatchOptions::Feed::inotify: return ops::FeedKind::inotify;
    case WatchOptions::Feed::poll: return ops::FeedKind::poll;
  }
  return ops::FeedKind::automatic;
}

}  // namespace

void watch(const repo::Context& context, const WatchOptions& options, const std::vector<std::string>& own_directories) {
  context.vault.require_writable();
  const source::Selector selector(options.backup.selection, options.backup.paths, own_directories);
  const auto warn = [&](const std::string& text) { context.events.warning(text); };
  const auto feed = ops::open_feed(kind_of(options.feed), {options.backup.paths,
                                                           [&](const std::string& path) { return !selector.excludes(path, true); },
                                                           warn, options.poll_interval_ms * kMillisecond});
  ops::BackupSeries series(context, options.backup, own_directories);
  ingest::HardLinks hard_links;
  series.tell(hard_links);
  bool first = true;
  // The records of what changes are put again and again.
  constexpr std::size_t kRecordsInMemory = 1000;
  context.cache.keep_back(kRecordsInMemory);
  const auto package = [&](const ingest::Dirty& dirty) {
    if (!first && !dirty.is_everything() && options.change) options.change(dirty.size());
    const auto summary = std::exchange(first, false) ? series.snapshot(&dirty) : series.snapshot_if_changed(&dirty);
    if (summary.snapshot && options.published) options.published(summary);
    return summary.snapshot.has_value();
  };
  ops::watch(*feed, {options.settle_ms * kMillisecond, options.max_delay_ms * kMillisecond, options.reconcile_ms * kMillisecond},
             {[&] { if (options.ready) options.ready(std::string(feed->name())); }, package, [&] { return hard_links.take_stale(); }, warn, options.control, options.input,
              options.on_input});
  context.cache.write_back();
}

}  // namespace mbu::api
