#include "api/watch_retention.hpp"

#include <algorithm>

#include "ops/forget/forget.hpp"
#include "repo/known_snapshots.hpp"
#include "repo/snapshot_query.hpp"

namespace mbu::api {
namespace {

// A statement each time: seldom enough to cost nothing beside the snapshots, often enough for the shortest span that is asked for.
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kRarest = 600 * kSecond;
constexpr std::int64_t kPartOfASpan = 10;

std::int64_t interval_ns(const Retention& keep) {
  std::int64_t shortest_s = kRarest / kSecond * kPartOfASpan;
  for (const auto& rule : keep.rules) shortest_s = std::min(shortest_s, rule.within_s);
  return std::clamp(shortest_s * kSecond / kPartOfASpan, kSecond, kRarest);
}

// All that a rule looks at.
SnapshotInfo brief(const repo::StoredSnapshot& stored) {
  auto info = repo::describe(stored);
  info.excludes = {};
  info.problems = {};
  return info;
}

}  // namespace

void WatchRetention::made(const repo::StoredSnapshot& snapshot, const Retention& keep) {
  if (keep.empty()) return forget_series();
  if (series_) series_->push_back(brief(snapshot));
  const auto now = system_clock().monotonic_ns();
  if (now < due_ns_) return;
  if (!series_) load_series(snapshot);
  thin_out(keep);
  due_ns_ = now + interval_ns(keep);
}

// What is made meanwhile is not in it: it is read again when a policy is given.
void WatchRetention::forget_series() {
  series_.reset();
  due_ns_ = 0;
}

void WatchRetention::load_series(const repo::StoredSnapshot& last) {
  std::vector<SnapshotInfo> series;
  for (const auto& stored : repo::read_snapshots(context_, repo::Which::current)) {
    const bool same = stored.writer == last.writer && stored.snapshot.instance == last.snapshot.instance &&
                      stored.snapshot.host == last.snapshot.host && stored.snapshot.paths == last.snapshot.paths &&
                      stored.snapshot.tags == last.snapshot.tags;
    if (same) series.push_back(brief(stored));
  }
  series_ = std::move(series);
}

void WatchRetention::thin_out(const Retention& keep) {
  ForgetOptions options;
  options.retention = keep;
  auto plan = ops::plan_forget(*series_, vault_.constitution().pins, options, system_clock().wall().seconds);
  ops::apply(plan, vault_);
  series_->clear();
  for (auto& group : plan.groups) {
    for (auto& kept : group.keep) series_->push_back(std::move(kept.snapshot));
  }
}

}  // namespace mbu::api
