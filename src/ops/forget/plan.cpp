// A group is gone through from its newest snapshot to its oldest. A rule keeps the first that it meets in each of its periods, until it has
// kept enough or what comes is too old. Hours lie within days, days within weeks, months and years: what stands for an hour while that is
// asked for stands for its day later, so that thinning out again and again ends where thinning out once does.
#include "ops/forget/plan.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <tuple>

#include "repo/snapshot_query.hpp"

namespace mbu::ops {
namespace {

using Every = Retention::Every;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

// Numbers the periods of local time; equal exactly within one.
std::int64_t period_of(Every every, std::int64_t time_s) {
  const auto seconds = static_cast<std::time_t>(time_s);
  std::tm local{};
  if (every == Every::all || ::localtime_r(&seconds, &local) == nullptr) return time_s;
  const std::int64_t since = time_s + local.tm_gmtoff;  // as if local time were UTC
  const std::int64_t day = since >= 0 ? since / kDay : (since - kDay + 1) / kDay;
  switch (every) {
    case Every::all: break;
    case Every::hourly: return day * 24 + local.tm_hour;
    case Every::daily: return day;
    case Every::weekly: return (day + 3 + 7 * kDay) / 7;  // 1970 began on a Thursday
    case Every::monthly: return std::int64_t{local.tm_year} * 12 + local.tm_mon;
    case Every::yearly: return local.tm_year;
  }
  return time_s;
}

const char* name_of(Every every) {
  switch (every) {
    case Every::all: return "last";
    case Every::hourly: return "hourly";
    case Every::daily: return "daily";
    case Every::weekly: return "weekly";
    case Every::monthly: return "monthly";
    case Every::yearly: return "yearly";
  }
  return "";
}

// One rule on its way through one group.
class Sieve {
 public:
  Sieve(const Retention::Rule& rule, std::int64_t newest_s) : rule_(rule), newest_s_(newest_s) {}

  [[nodiscard]] bool keeps(const SnapshotInfo& snapshot) {
    const auto period = period_of(rule_.every, snapshot.time_s);
    const bool first = rule_.every == Every::all || !last_ || *last_ != period;
    last_ = period;
    if (!first || kept_ == rule_.count || newest_s_ - snapshot.time_s > rule_.within_s) return false;
    ++kept_;
    return true;
  }
  [[nodiscard]] std::string reason() const {
    const bool bounded = rule_.within_s != Retention::Rule{}.within_s;
    if (!bounded) return std::string(name_of(rule_.every)) + " snapshot";
    return rule_.every == Every::all ? "within" : std::string(name_of(rule_.every)) + " within";
  }

 private:
  const Retention::Rule& rule_;
  std::int64_t newest_s_;
  std::optional<std::int64_t> last_;  // period
  std::uint64_t kept_ = 0;
};

// What each instance made last, by its own count.
std::set<ObjectName> last_of_each(const std::vector<SnapshotInfo>& snapshots) {
  std::map<InstanceId, const SnapshotInfo*> last;
  for (const auto& snapshot : snapshots) {
    auto& known = last[snapshot.instance];
    if (known == nullptr || known->number < snapshot.number) known = &snapshot;
  }
  std::set<ObjectName> names;
  for (const auto& [instance, snapshot] : last) names.insert(snapshot->name);
  return names;
}

void sift(std::vector<SnapshotInfo> newest_first, const std::set<ObjectName>& pinned, const Retention& retention, std::int64_t now_s,
          ForgetPlan::Group& group) {
  const auto is_early = [&](const SnapshotInfo& snapshot) { return snapshot.time_s > now_s + kDay; };
  const auto newest = std::ranges::find_if_not(newest_first, is_early);
  const auto newest_s = newest == newest_first.end() ? now_s : newest->time_s;
  const auto last = last_of_each(newest_first);
  std::vector<Sieve> sieves;
  for (const auto& rule : retention.rules) sieves.emplace_back(rule, newest_s);
  for (auto& snapshot : newest_first) {
    std::vector<std::string> reasons;
    for (auto& sieve : sieves) {
      if (!is_early(snapshot) && sieve.keeps(snapshot)) reasons.push_back(sieve.reason());
    }
    if (is_early(snapshot)) reasons.emplace_back("its time has not come");
    if (reasons.empty() && last.contains(snapshot.name)) reasons.emplace_back("made last");
    if (repo::has_tags_of(retention.tags, snapshot.tags)) reasons.emplace_back("tag");
    if (pinned.contains(snapshot.name)) reasons.emplace_back("pinned");
    if (reasons.empty() && group.keep.empty() && group.forget.empty()) reasons.emplace_back("the newest");
    if (reasons.empty()) {
      group.forget.push_back(std::move(snapshot));
    } else {
      group.keep.push_back({std::move(snapshot), std::move(reasons)});
    }
  }
}

}  // namespace

ForgetPlan plan_forget(std::vector<SnapshotInfo> all, const std::set<ObjectName>& pinned, const ForgetOptions& options,
                       std::int64_t now_s) {
  std::ranges::sort(all, std::greater{}, [](const SnapshotInfo& s) { return std::tuple(s.time_s, s.time_ns, s.number, s.name); });
  using Key = std::tuple<std::string, std::vector<std::string>, std::vector<std::string>, PublicKey>;
  std::map<Key, std::vector<SnapshotInfo>> groups;
  for (auto& snapshot : all) {
    using Names = std::vector<std::string>;
    Key key{options.by_host ? snapshot.host : std::string(), options.by_paths ? snapshot.paths : Names(),
            options.by_tags ? snapshot.tags : Names(), snapshot.writer};
    groups[std::move(key)].push_back(std::move(snapshot));
  }
  ForgetPlan plan;
  for (auto& [key, snapshots] : groups) {
    auto& group = plan.groups.emplace_back();
    std::tie(group.host, group.paths, group.tags, group.writer) = key;
    sift(std::move(snapshots), pinned, options.retention, now_s, group);
  }
  return plan;
}

}  // namespace mbu::ops
