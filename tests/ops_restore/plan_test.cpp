#include "ops/restore/plan.hpp"

#include <gtest/gtest.h>

#include "ops/restore/content_plan.hpp"
#include "ops/restore/run.hpp"

namespace mbu::ops {
namespace {

Segment segment(std::uint32_t pack, std::uint32_t block, std::uint32_t position, std::uint64_t file, std::uint64_t offset,
                std::uint32_t length = 10) {
  Segment s;
  s.chunk = {pack, block, position, length};
  s.length = length;
  s.file_number = file;
  s.offset = offset;
  return s;
}

TEST(RestorePlan, ComesInOrderOfPackAndBlock) {
  RestorePlan plan;
  plan.add(segment(2, 0, 0, 1, 0));
  plan.add(segment(0, 7, 0, 1, 10));
  plan.add(segment(0, 1, 5, 1, 20));
  plan.add(segment(0, 7, 30, 2, 0));
  plan.sort();
  const auto blocks = plan.blocks();
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].front().chunk.block, 1U);
  EXPECT_EQ(blocks[1].size(), 2U);
  EXPECT_EQ(blocks[2].front().chunk.pack, 2U);
}

TEST(RestorePlan, JoinsWhatLiesTogetherInBlockAndFile) {
  RestorePlan plan;
  // Two files share the chunks at 0 and 10; the second has them the other way round.
  plan.add(segment(0, 0, 10, 1, 10));
  plan.add(segment(0, 0, 0, 1, 0));
  plan.add(segment(0, 0, 0, 2, 10));
  plan.add(segment(0, 0, 10, 2, 0));
  plan.sort();
  const auto block = plan.blocks().front();
  EXPECT_EQ(block[2].offset, 0U);
  EXPECT_EQ(joined_segments(block.first(2)), 2U);
  EXPECT_EQ(joined_segments(block.subspan(2)), 1U);
}

TEST(RunCursor, SplitsAChunkAtHoles) {
  RunCursor cursor({{100, 5}, {1000, 20}});
  std::vector<std::array<std::uint64_t, 3>> pieces;
  const auto note = [&](std::uint64_t skip, std::uint64_t length, std::uint64_t offset) {
    pieces.push_back({skip, length, offset});
  };
  ASSERT_TRUE(cursor.advance(8, note));
  ASSERT_TRUE(cursor.advance(17, note));
  const std::vector<std::array<std::uint64_t, 3>> wanted{{0, 5, 100}, {5, 3, 1000}, {0, 17, 1003}};
  EXPECT_EQ(pieces, wanted);
  EXPECT_TRUE(cursor.at_end());
  EXPECT_FALSE(cursor.advance(1, note));
}

TEST(TemporaryName, IsExactlyOurs) {
  EXPECT_TRUE(is_temporary_name(".mbu-restore-0123456789abcdef"));
  EXPECT_FALSE(is_temporary_name(".mbu-restore-0123456789abcde"));
  EXPECT_FALSE(is_temporary_name(".mbu-restore-0123456789abcdeF"));
  EXPECT_FALSE(is_temporary_name(".mbu-restore-0123456789abcdef0"));
}

}  // namespace
}  // namespace mbu::ops
