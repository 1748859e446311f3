#include "ingest/shelf.hpp"

#include <gtest/gtest.h>

namespace mbu::ingest {
namespace {

class ShelfTest : public ::testing::Test {
 protected:
  void add(Shelf& shelf, std::string_view name) {
    const auto bytes = as_bytes(name);
    shelf.add({ChunkId{}, static_cast<std::uint32_t>(bytes.size())}, bytes, name);
  }
  std::vector<std::string> clear(Shelf& shelf) {
    std::vector<std::string> names;
    shelf.clear_into([&](const format::ChunkRef& chunk, ByteView bytes, std::string_view name) {
      EXPECT_EQ(chunk.length, bytes.size());
      EXPECT_EQ(as_text(bytes), name);
      names.emplace_back(name);
    });
    return names;
  }
};

TEST_F(ShelfTest, IsForNamesThatComeAgainAndAgain) {
  Shelf shelf(1000);
  EXPECT_FALSE(shelf.is_for("Makefile"));
  for (int i = 0; i < 10; ++i) (void)shelf.is_for("Makefile");
  EXPECT_TRUE(shelf.is_for("Makefile"));
  std::size_t others = 0;
  for (int i = 0; i < 1'000'000; ++i) others += shelf.is_for("file" + std::to_string(i));
  EXPECT_LT(others, 100'000u);
}

TEST_F(ShelfTest, HandsNamesOnTogether) {
  Shelf shelf(1000);
  for (const auto* name : {"z.mo", "b.mo", "z.mo", "a", "b.mo", "z.mo"}) add(shelf, name);
  EXPECT_EQ(clear(shelf), (std::vector<std::string>{"a", "b.mo", "b.mo", "z.mo", "z.mo", "z.mo"}));
}

TEST_F(ShelfTest, HasRoomForWhatItWasMadeForAndIsEmptyWhenCleared) {
  Shelf shelf(10);
  EXPECT_TRUE(shelf.has_room_for(10));
  EXPECT_FALSE(shelf.has_room_for(11));
  add(shelf, "seven.x");
  EXPECT_EQ(shelf.size_bytes(), 7u);
  EXPECT_TRUE(shelf.has_room_for(3));
  EXPECT_FALSE(shelf.has_room_for(4));
  EXPECT_EQ(clear(shelf).size(), 1u);
  EXPECT_TRUE(shelf.has_room_for(10));
  EXPECT_EQ(clear(shelf).size(), 0u);
}

TEST_F(ShelfTest, BoundsWhatItKeepsBesideTheBytes) {
  Shelf shelf(1U << 20);
  std::size_t items = 0;
  for (; shelf.has_room_for(1); ++items) add(shelf, "x");
  EXPECT_LT(items, 100'000u);
}

}  // namespace
}  // namespace mbu::ingest
