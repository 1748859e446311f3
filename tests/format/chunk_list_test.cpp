#include "format/chunk_list.hpp"

#include "format/entry.hpp"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

ChunkList some_list(Random& random, std::uint8_t level, std::size_t count) {
  ChunkList list{level, {}};
  for (; count > 0; --count) list.items.push_back({random.id<ChunkId>(), 1 + random.below(kLargestChunk)});
  return list;
}

TEST(ChunkList, RoundTrips) {
  Random random(1);
  for (std::uint8_t level = 0; level <= kHighestListLevel; ++level) {
    const auto list = some_list(random, level, 1 + random.below(50));
    const auto bytes = encode_chunk_list(list);
    EXPECT_EQ(bytes.size(), 8 + 40 * list.items.size());
    EXPECT_EQ(decode_chunk_list(bytes, test::kSubject), list);
  }
}

TEST(ChunkList, HasItsFieldsWhereTheFormatSays) {
  ChunkList list{2, {{ChunkId{}, 0x0102030405060708}}};
  list.items[0].id.bytes.fill('x');
  EXPECT_EQ(as_text(encode_chunk_list(list)),
            std::string("\2\0\0\0\1\0\0\0", 8) + std::string(32, 'x') + std::string("\x8\7\6\5\4\3\2\1", 8));
}

ByteBuffer list_with(std::uint8_t level, std::uint64_t first, std::uint64_t second) {
  Random random(2);
  auto bytes = encode_chunk_list(some_list(random, level, 2));
  write_integer(MutableBytes(bytes).subspan(40), first);
  write_integer(MutableBytes(bytes).subspan(80), second);
  return bytes;
}

TEST(ChunkList, RejectsItemsOfImpossibleLengths) {
  EXPECT_TRUE(test::decodes(list_with(0, kLargestChunk, 1), decode_chunk_list));
  test::expect_corrupt(list_with(0, 0, 1), decode_chunk_list, "impossible length");
  test::expect_corrupt(list_with(0, kLargestChunk + 1, 1), decode_chunk_list, "impossible length");
  EXPECT_TRUE(test::decodes(list_with(1, kLargestChunk + 1, 1), decode_chunk_list));
  test::expect_corrupt(list_with(1, 1, 0), decode_chunk_list, "impossible length");
}

TEST(ChunkList, RejectsSumsThatOverflow) {
  EXPECT_TRUE(test::decodes(list_with(1, kLargestFile - 1, 1), decode_chunk_list));
  test::expect_corrupt(list_with(1, kLargestFile, 1), decode_chunk_list, "adds up");
  test::expect_corrupt(list_with(1, 2, ~0ull), decode_chunk_list, "adds up");
}

TEST(ChunkList, RejectsAZeroId) {
  auto bytes = list_with(0, 1, 1);
  std::fill_n(bytes.begin() + 8, 32, std::uint8_t{0});
  test::expect_corrupt(bytes, decode_chunk_list, "cannot exist");
}

TEST(ChunkList, RejectsOtherLengthsAndLevels) {
  const auto good = list_with(0, 1, 1);
  auto bytes = good;
  bytes[0] = 8;
  test::expect_corrupt(bytes, decode_chunk_list, "level");
  bytes = good;
  bytes[3] = 1;
  test::expect_corrupt(bytes, decode_chunk_list, "must be zero");
  bytes = good;
  bytes.push_back(0);
  test::expect_corrupt(bytes, decode_chunk_list, "wrong length");
  bytes = good;
  bytes[7] = 0xff;
  test::expect_corrupt(bytes, decode_chunk_list, "wrong length");
  test::expect_corrupt(ByteBuffer(8), decode_chunk_list, "wrong length");
}

TEST(ChunkList, RefusesWhatCannotBeRead) {
  Random random(3);
  test::expect_refused([] { static_cast<void>(encode_chunk_list({})); }, "length");
  test::expect_refused([&] { static_cast<void>(encode_chunk_list(some_list(random, 0, 110'000))); }, "length");
  test::expect_refused([&] { static_cast<void>(encode_chunk_list(some_list(random, 8, 1))); }, "level");
}

TEST(ChunkList, SurvivesTampering) {
  Random random(4);
  test::expect_survives_tampering(encode_chunk_list(some_list(random, 1, 5)), decode_chunk_list);
}

}  // namespace
}  // namespace mbu::format
