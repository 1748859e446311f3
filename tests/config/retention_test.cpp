#include "config/retention.hpp"

#include <gtest/gtest.h>

namespace mbu::config {
namespace {

constexpr std::int64_t kDay = 86'400;

TEST(RetentionText, UnderstandsEveryUnit) {
  EXPECT_EQ(parse_span_s("30s"), 30);
  EXPECT_EQ(parse_span_s("5min"), 300);
  EXPECT_EQ(parse_span_s("2h"), 7200);
  EXPECT_EQ(parse_span_s("1y6M2w3d"), (366 + 6 * 31 + 14 + 3) * kDay);
}

TEST(RetentionText, RefusesWhatIsNoSpan) {
  for (const char* text : {"", "5", "d", "5m", "-5d", "5 d", "5D", "1001y", "1000y1s", "99999999999999999999y", "1.5d"}) {
    EXPECT_FALSE(parse_span_s(text).has_value()) << text;
  }
}

TEST(RetentionText, ReadsAPolicy) {
  const auto policy = parse_retention("1h all, 1d hourly,1M  daily , forever weekly");
  ASSERT_TRUE(policy.has_value());
  ASSERT_EQ(policy->rules.size(), 4U);
  EXPECT_EQ(policy->rules[0].within_s, 3600);
  EXPECT_EQ(policy->rules[0].every, Retention::Every::all);
  EXPECT_EQ(policy->rules[1].every, Retention::Every::hourly);
  EXPECT_EQ(policy->rules[2].every, Retention::Every::daily);
  EXPECT_EQ(policy->rules[3].within_s, Retention::Rule{}.within_s);
  EXPECT_EQ(policy->rules[3].every, Retention::Every::weekly);
}

TEST(RetentionText, RefusesWhatIsNoPolicy) {
  for (const char* text : {"", "1h", "all", "1h all,", ",1h all", "1h some", "1m all", "1h all daily", "1h all; 1d daily"}) {
    EXPECT_FALSE(parse_retention(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mbu::config
