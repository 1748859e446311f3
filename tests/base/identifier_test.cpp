#include <type_traits>
#include <unordered_set>

#include "../support/expect.hpp"
#include "base/random.hpp"

namespace mbu {
namespace {

static_assert(!std::is_convertible_v<ObjectName, ChunkId> && !std::is_convertible_v<ChunkId, ObjectName>);

TEST(Hex, RoundTripsEveryByte) {
  ByteBuffer bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  EXPECT_EQ(from_hex(""), ByteBuffer{});
  EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, IsLowerCaseAndWhole) {
  for (const auto* text : {"0", "abc", "AB", "aB", "0x", "g0", "0g", " 0", "0 ", "+1", "-1", "\xc3\xa4"}) {
    EXPECT_FALSE(from_hex(text)) << text;
  }
  EXPECT_FALSE(from_hex(std::string_view("\0\0", 2)));
}

TEST(Identifier, ParsesItsOwnHexOnly) {
  const auto name = random_identifier<ObjectName>();
  EXPECT_EQ(ObjectName::parse(name.hex()), name);
  EXPECT_FALSE(ObjectName::parse(name.hex().substr(1)));
  EXPECT_FALSE(ObjectName::parse(name.hex() + "00"));
  EXPECT_FALSE(ObjectName::parse(name.hex().substr(2)));
  EXPECT_FALSE(ObjectName::parse(""));
  EXPECT_FALSE(InstanceId::parse(name.hex()));
  auto upper = std::string(64, 'A');
  EXPECT_FALSE(ObjectName::parse(upper));
}

TEST(Identifier, OrdersAsItsHexDoes) {
  for (int round = 0; round < 100; ++round) {
    const auto a = random_identifier<InstanceId>(), b = random_identifier<InstanceId>();
    EXPECT_EQ(a < b, a.hex() < b.hex());
  }
}

TEST(Identifier, KnowsZero) {
  EXPECT_TRUE(ChunkId{}.is_zero());
  ChunkId id;
  id.bytes[31] = 1;
  EXPECT_FALSE(id.is_zero());
}

TEST(Identifier, CanBeAKey) {
  std::unordered_set<ChunkId, IdentifierHash> ids;
  const auto id = random_identifier<ChunkId>();
  ids.insert(id);
  EXPECT_TRUE(ids.contains(id));
  EXPECT_FALSE(ids.contains(ChunkId{}));
}

TEST(Random, FillsEveryLength) {
  for (const std::size_t size : {0u, 1u, 255u, 256u, 257u, 10'000u}) {
    ByteBuffer bytes(size + 1);
    fill_random(MutableBytes(bytes).first(size));
    EXPECT_EQ(bytes.back(), 0u);
    if (size >= 255) {
      EXPECT_GT(std::count_if(bytes.begin(), bytes.end(), [](auto b) { return b != 0; }),
                static_cast<std::ptrdiff_t>(size / 2));
    }
  }
  EXPECT_NE(random_identifier<ChunkId>(), random_identifier<ChunkId>());
}

}  // namespace
}  // namespace mbu
