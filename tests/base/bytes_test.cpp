#include "base/bytes.hpp"

#include "../support/expect.hpp"

namespace mbu {
namespace {

TEST(Bytes, IntegersAreLittleEndian) {
  ByteBuffer bytes;
  append(bytes, std::uint8_t{0x01});
  append(bytes, std::uint16_t{0x0302});
  append(bytes, std::uint32_t{0x07060504});
  append(bytes, std::uint64_t{0x0f0e0d0c0b0a0908});
  EXPECT_EQ(to_hex(bytes), "0102030405060708090a0b0c0d0e0f");
  const ByteView view(bytes);
  EXPECT_EQ(load<std::uint16_t>(view.subspan(1)), 0x0302u);
  EXPECT_EQ(load<std::uint32_t>(view.subspan(3)), 0x07060504u);
  EXPECT_EQ(load<std::uint64_t>(view.subspan(7)), 0x0f0e0d0c0b0a0908u);
}

TEST(Bytes, WritesIntegersInPlace) {
  ByteBuffer bytes(6, 0xee);
  write_integer(MutableBytes(bytes).subspan(1), std::uint32_t{0x04030201});
  EXPECT_EQ(to_hex(bytes), "ee01020304ee");
}

TEST(Bytes, TextAndBytesAreTheSame) {
  EXPECT_EQ(as_text(as_bytes("a\xff")), "a\xff");
  EXPECT_TRUE(as_bytes("").empty());
}

TEST(Reader, ReadsFrontToBack) {
  const auto bytes = test::unhex("01 0200 0000 aabb");
  Reader reader(bytes, "it");
  EXPECT_EQ(reader.integer<std::uint8_t>(), 1u);
  EXPECT_EQ(reader.integer<std::uint16_t>(), 2u);
  reader.expect_zero(2);
  EXPECT_EQ(reader.rest().size(), 2u);
  EXPECT_EQ(to_hex(reader.take(2)), "aabb");
  EXPECT_TRUE(reader.rest().empty());
  EXPECT_TRUE(reader.take(0).empty());
}

TEST(Reader, NeverReadsPastTheEnd) {
  const auto bytes = test::unhex("010203");
  for (std::size_t left = 0; left < 3; ++left) {
    Reader reader(ByteView(bytes).first(left), "data/ab");
    const auto error = test::error_of([&] { (void)reader.integer<std::uint32_t>(); });
    EXPECT_EQ(error.code(), Code::corrupt);
    EXPECT_EQ(error.subject(), "data/ab");
  }
  Reader reader(bytes, "it");
  test::expect_error(Code::corrupt, "cut short", [&] { reader.take(4); });
  test::expect_error(Code::corrupt, "cut short", [&] { reader.take(~std::size_t{0}); });
  test::expect_error(Code::corrupt, "cut short", [&] { (void)reader.identifier<ObjectName>(); });
  test::expect_error(Code::corrupt, "cut short", [&] { reader.expect_zero(4); });
  EXPECT_EQ(reader.rest().size(), 3u);  // what fails takes nothing
}

TEST(Reader, RefusesBytesThatMustBeZero) {
  for (std::size_t at = 0; at < 4; ++at) {
    ByteBuffer bytes(4);
    bytes[at] = 1;
    test::expect_error(Code::corrupt, "must be zero", [&] { Reader(bytes, "it").expect_zero(4); });
  }
}

}  // namespace
}  // namespace mbu
