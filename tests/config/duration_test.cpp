#include "config/duration.hpp"

#include <gtest/gtest.h>

namespace mbu::config {
namespace {

TEST(Duration, UnderstandsEveryUnit) {
  EXPECT_EQ(parse_duration_ms("300ms"), 300);
  EXPECT_EQ(parse_duration_ms("30s"), 30'000);
  EXPECT_EQ(parse_duration_ms("1m"), 60'000);
  EXPECT_EQ(parse_duration_ms("2h"), 7'200'000);
  EXPECT_EQ(parse_duration_ms("1d"), 86'400'000);
  EXPECT_EQ(parse_duration_ms("0s"), 0);
}

TEST(Duration, AddsUpPieces) { EXPECT_EQ(parse_duration_ms("1m30s5ms"), 90'005); }

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "5", "s", "5 s", "-5s", "5x", "5s ", "1.5s", "99999999999999999999s", "367d", "366d1ms"}) {
    EXPECT_FALSE(parse_duration_ms(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mbu::config
