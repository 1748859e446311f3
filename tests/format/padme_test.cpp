#include "format/padme.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace mbu::format {
namespace {

TEST(Padme, GivesKnownLengths) {
  EXPECT_EQ(padme(0), 0u);
  EXPECT_EQ(padme(1), 1u);
  EXPECT_EQ(padme(8), 8u);
  EXPECT_EQ(padme(9), 10u);
  EXPECT_EQ(padme(100), 104u);
  EXPECT_EQ(padme(1000), 1024u);
  EXPECT_EQ(padme(1025), 1088u);
  EXPECT_EQ(padme(1'000'000), 1'015'808u);
}

TEST(Padme, FollowsItsDefinition) {
  for (std::uint64_t length = 2; length < 100'000; ++length) {
    const auto e = static_cast<unsigned>(std::floor(std::log2(static_cast<double>(length))));
    const auto s = static_cast<unsigned>(std::floor(std::log2(static_cast<double>(e)))) + 1;
    const std::uint64_t unit = std::uint64_t{1} << (e - s);
    EXPECT_EQ(padme(length), (length + unit - 1) / unit * unit) << length;
  }
}

TEST(Padme, AddsLittleAndIsStable) {
  for (std::uint64_t length = 1; length < 2'000'000; length += 37) {
    const auto padded = padme(length);
    EXPECT_GE(padded, length);
    EXPECT_LE(static_cast<double>(padded), static_cast<double>(length) * 1.12);
    EXPECT_EQ(padme(padded), padded);
  }
}

}  // namespace
}  // namespace mbu::format
