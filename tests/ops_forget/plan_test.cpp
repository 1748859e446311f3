#include "ops/forget/plan.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace mbu::ops {
namespace {

using Every = Retention::Every;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNoon = 1'767'614'400;  // Monday, 2026-01-05 12:00:00 UTC

class Plan : public ::testing::Test {
 protected:
  Plan() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }

  // A snapshot so many seconds before kNoon.
  SnapshotInfo add(std::int64_t before, const std::string& host = "here") {
    SnapshotInfo info;
    info.time_s = kNoon - before;
    info.host = host;
    info.paths = {"/home"};
    info.number = all_.size() + 1;
    info.name.bytes[0] = static_cast<std::uint8_t>(info.number);
    info.name.bytes[1] = static_cast<std::uint8_t>(info.number >> 8);
    all_.push_back(info);
    return info;
  }

  // How many seconds before kNoon those that stay were made, newest first.
  std::vector<std::int64_t> kept(std::vector<Retention::Rule> rules) {
    ForgetOptions options;
    options.retention.rules = std::move(rules);
    std::vector<std::int64_t> ages;
    for (const auto& group : plan_forget(all_, pinned_, options, kNoon).groups) {
      for (const auto& kept : group.keep) ages.push_back(kNoon - kept.snapshot.time_s);
    }
    return ages;
  }

  std::vector<SnapshotInfo> all_;
  std::set<ObjectName> pinned_;
};

using Ages = std::vector<std::int64_t>;

TEST_F(Plan, KeepsTheNewestSoMany) {
  for (const auto age : {30, 20, 10, 0}) add(age);
  EXPECT_EQ(kept({{.count = 2}}), (Ages{0, 10}));
}

TEST_F(Plan, KeepsTheNewestOfEachHour) {
  for (const auto age : {5 * kHour, kHour + 2, kHour + 1, 120L, 60L, 0L}) add(age);
  // 12:00:00 | 11:59:00, 11:58:00 | 10:59:59, 10:59:58 | 07:00:00
  EXPECT_EQ(kept({{.every = Every::hourly, .count = 3}}), (Ages{0, 60, kHour + 1}));
}

TEST_F(Plan, KnowsWeeksAndMonths) {
  for (const auto age : {40 * kDay, 5 * kDay, 4 * kDay, 2 * kDay, 1 * kDay, 0L}) add(age);
  // Monday | Sunday, Saturday, Thursday the first, Wednesday of December | November
  EXPECT_EQ(kept({{.every = Every::weekly}}), (Ages{0, kDay, 40 * kDay}));
  EXPECT_EQ(kept({{.every = Every::monthly}}), (Ages{0, 5 * kDay, 40 * kDay}));
  EXPECT_EQ(kept({{.every = Every::yearly}}), (Ages{0, 5 * kDay}));
}

TEST_F(Plan, CountsSpansFromTheNewest) {
  for (const auto age : {107 * kDay + 1, 107 * kDay, 100 * kDay + 1, 100 * kDay}) add(age);
  EXPECT_EQ(kept({{.within_s = 7 * kDay}}), (Ages{100 * kDay, 100 * kDay + 1, 107 * kDay}));
}

TEST_F(Plan, KeepsWhatAnyRuleKeeps) {
  for (const auto age : {kDay + 1, kDay, 2L, 1L, 0L}) add(age);
  EXPECT_EQ(kept({{.within_s = 1}, {.every = Every::daily}}), (Ages{0, 1, kDay}));
}

TEST_F(Plan, KeepsWhatWasMadeLastWhateverItsTime) {
  add(0);
  add(10);
  add(90 * kDay);  // a clock that was set back
  EXPECT_EQ(kept({{.count = 1}}), (Ages{0, 90 * kDay}));
}

TEST_F(Plan, CountsNoSpanFromATimeThatHasNotCome) {
  add(kDay);
  add(0);
  add(-2000 * kDay);  // a clock that was far ahead
  add(3 * kDay);
  add(0);
  EXPECT_EQ(kept({{.within_s = 2 * kDay}}), (Ages{-2000 * kDay, 0, 0, kDay}));
}

TEST_F(Plan, NeverLeavesAGroupEmpty) {
  add(6);
  add(5);
  EXPECT_EQ(kept({{.count = 0}}), (Ages{5}));
}

TEST_F(Plan, KeepsWhatIsPinned) {
  add(60);
  pinned_.insert(add(50).name);
  add(0);
  EXPECT_EQ(kept({{.count = 1}}), (Ages{0, 50}));
}

TEST_F(Plan, LetsNobodySpeakForAnotherWriter) {
  add(0);
  add(1);
  all_[1].writer.bytes[0] = 7;
  EXPECT_EQ(kept({{.count = 1}}).size(), 2U);
}

TEST_F(Plan, KeepsTagged) {
  add(2);
  add(1);
  add(0);
  all_[0].tags = {"release", "x"};
  ForgetOptions options;
  options.retention.rules = {{.count = 1}};
  options.retention.tags = {{"release"}};
  const auto plan = plan_forget(all_, {}, options, kNoon);
  ASSERT_EQ(plan.groups.size(), 1U);
  EXPECT_EQ(plan.groups[0].forget.size(), 1U);
  EXPECT_EQ(plan.groups[0].keep.back().reasons, std::vector<std::string>{"tag"});
}

TEST_F(Plan, EndsWhereItDoesAtOnceWhenAskedAgainAndAgain) {
  const std::vector<Retention::Rule> policy{{.within_s = kHour}, {.every = Every::hourly, .within_s = kDay}, {.every = Every::daily}};
  for (std::int64_t age = 5 * kDay; age >= 0; age -= 600) add(age);
  const auto at_once = kept(policy);
  auto left = all_;
  std::ranges::sort(left, {}, &SnapshotInfo::time_s);
  std::vector<SnapshotInfo> seen;
  ForgetOptions options;
  options.retention.rules = policy;
  for (const auto& snapshot : left) {
    seen.push_back(snapshot);
    const auto plan = plan_forget(seen, {}, options, kNoon);
    seen.clear();
    for (const auto& kept : plan.groups[0].keep) seen.push_back(kept.snapshot);
  }
  all_ = seen;
  EXPECT_EQ(kept(policy), at_once);
}

}  // namespace
}  // namespace mbu::ops
