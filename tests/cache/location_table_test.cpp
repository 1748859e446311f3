#include "cache/location_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"
#include "cache/location_tables.hpp"

namespace mbu::cache {
namespace {

using Lookup = LocationTable::Lookup;
namespace fs = std::filesystem;

class LocationTableTest : public testing::Test {
 protected:
  // So many places of distinct chunks, in order.
  std::vector<ChunkPlace> make_places(std::size_t count, std::uint32_t packs) {
    std::vector<ChunkPlace> places;
    for (std::size_t i = 0; i < count; ++i) {
      places.push_back({random_.id<ChunkPrefix>(), static_cast<std::uint32_t>(random_.below(packs)),
                        static_cast<std::uint32_t>(random_.below(65'536)), static_cast<std::uint32_t>(random_.below(1U << 24)),
                        static_cast<std::uint32_t>(random_.below(1U << 24))});
    }
    std::ranges::sort(places);
    return places;
  }

  std::string write(const std::vector<ChunkPlace>& places, std::uint64_t most) {
    LocationTableWriter writer(directory_.path(), key_, most);
    for (std::size_t i = 0; i < names_.size(); ++i) EXPECT_EQ(writer.add_pack(names_[i], records_[i]), i);
    for (const auto& place : places) writer.add(place);
    return writer.finish(sources_);
  }
  std::string write(const std::vector<ChunkPlace>& places) { return write(places, places.size()); }

  static void expect_found(const LocationTable& table, const ChunkPlace& place) {
    std::vector<ChunkPlace> found;
    ASSERT_EQ(table.find(place.id, found), Lookup::found);
    EXPECT_NE(std::ranges::find(found, place), found.end());
  }

  static void flip(const std::string& path, std::uintmax_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  mbu::test::TemporaryDirectory directory_;
  mbu::test::Random random_{7};
  crypto::Key key_ = crypto::random_key();
  std::vector<ObjectName> names_{random_.id<ObjectName>(), random_.id<ObjectName>(), random_.id<ObjectName>()};
  std::vector<ByteBuffer> records_{random_.bytes(300), random_.bytes(1), {}};
  std::vector<TableSource> sources_{{random_.id<ObjectName>(), random_.id<PublicKey>(), random_.id<DomainId>()}};
};

TEST_F(LocationTableTest, GivesBackWhatItWasGiven) {
  for (const std::size_t count : {0U, 1U, 144U, 145U, 146U, 5000U}) {
    const auto places = make_places(count, 3);
    const auto table = LocationTable::open(write(places), key_);
    ASSERT_TRUE(table);
    EXPECT_EQ(table->chunk_count(), count);
    EXPECT_EQ(table->packs(), names_);
    EXPECT_EQ(table->sources(), sources_);
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(table->pack_record(i), records_[i]);
    for (const auto& place : places) expect_found(*table, place);
    std::vector<ChunkPlace> all;
    ChunkPlace place;
    LocationTable::Cursor cursor(*table);
    while (cursor.next(place) == Lookup::found) all.push_back(place);
    EXPECT_EQ(all, places);
  }
}

TEST_F(LocationTableTest, KnowsNothingElse) {
  const auto table = LocationTable::open(write(make_places(5000, 3)), key_);
  std::vector<ChunkPlace> found;
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(table->find(random_.id<ChunkPrefix>(), found), Lookup::absent);
  EXPECT_TRUE(found.empty());
}

// As a writer who wants to might choose them: the prefix that pages are found by says nothing.
TEST_F(LocationTableTest, FindsChunksThatBeginAlike) {
  auto places = make_places(1000, 3);
  for (auto& place : places) std::fill_n(place.id.bytes.begin(), 16, std::uint8_t{0xff});
  std::ranges::sort(places);
  const auto table = LocationTable::open(write(places), key_);
  for (const auto& place : places) expect_found(*table, place);
}

TEST_F(LocationTableTest, FindsAllPlacesOfAChunk) {
  auto places = make_places(300, 3);
  for (std::size_t i = 1; i < 200; ++i) places[i].id = places[0].id;
  std::ranges::sort(places);
  const auto table = LocationTable::open(write(places), key_);
  std::vector<ChunkPlace> found;
  EXPECT_EQ(table->find(places[100].id, found), Lookup::found);
  EXPECT_EQ(found.size(), 200U);
}

TEST_F(LocationTableTest, MayHoldFewerThanItWasMadeFor) {
  const auto places = make_places(100, 3);
  const auto table = LocationTable::open(write(places, 100'000), key_);
  for (const auto& place : places) expect_found(*table, place);
}

// Its filter does not lie in memory.
TEST_F(LocationTableTest, MayBeLarge) {
  const auto places = make_places(3000, 3);
  const auto path = write(places, 5'000'000);
  const auto table = LocationTable::open(path, key_);
  for (int time = 0; time < 2; ++time) {
    for (const auto& place : places) expect_found(*table, place);
  }
  flip(path, 4096 + 4096 + 100);
  const auto other = LocationTable::open(path, key_);
  std::vector<ChunkPlace> found;
  EXPECT_EQ(other->find(places[0].id, found), Lookup::damaged);
}

TEST_F(LocationTableTest, IsOfOneKey) {
  const auto path = write(make_places(10, 3));
  EXPECT_FALSE(LocationTable::open(path, crypto::random_key()));
  EXPECT_FALSE(LocationTable::open(directory_ / "nothing", key_));
}

// Any byte: a changed table gives what it held or says that it is damaged.
TEST_F(LocationTableTest, NoticesDamage) {
  const auto places = make_places(1000, 3);
  const auto size = fs::file_size(write(places));
  unsigned noticed = 0;
  for (std::uintmax_t at = 0; at < size; at += 97) {
    const auto path = write(places);
    flip(path, at);
    const auto table = LocationTable::open(path, key_);
    bool good = table != nullptr;
    for (const auto& place : places) {
      std::vector<ChunkPlace> found;
      if (!table) break;
      const auto result = table->find(place.id, found);
      good = good && result != Lookup::damaged;
      ASSERT_NE(result, Lookup::absent) << at;
      const bool right = result == Lookup::damaged || found == std::vector{place};
      ASSERT_TRUE(right) << at;
    }
    for (std::uint32_t i = 0; table && i < 3; ++i) {
      const auto record = table->pack_record(i);
      good = good && record;
      ASSERT_EQ(record.value_or(records_[i]), records_[i]) << at;
    }
    noticed += !good;
    fs::remove(path);
  }
  EXPECT_GT(noticed, size / 97 / 2);
}

TEST_F(LocationTableTest, NoticesPagesThatChangedPlaces) {
  const auto places = make_places(1000, 3);
  const auto path = write(places);
  constexpr std::streamoff kPage = 4096;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  // Behind the header, the records and one page of the filter.
  std::array<std::array<char, kPage>, 2> pages;
  for (std::size_t i = 0; i < 2; ++i) file.seekg(kPage * static_cast<std::streamoff>(3 + i)).read(pages[i].data(), kPage);
  for (std::size_t i = 0; i < 2; ++i) file.seekp(kPage * static_cast<std::streamoff>(3 + i)).write(pages[1 - i].data(), kPage);
  file.close();
  const auto table = LocationTable::open(path, key_);
  ASSERT_TRUE(table);
  std::vector<ChunkPlace> found;
  EXPECT_EQ(table->find(places[0].id, found), Lookup::damaged);
  EXPECT_EQ(table->find(places[200].id, found), Lookup::damaged);
  EXPECT_EQ(table->find(places[500].id, found), Lookup::found);
}

TEST_F(LocationTableTest, NoticesThatItWasCutShort) {
  const auto places = make_places(1000, 3);
  const auto size = fs::file_size(write(places));
  for (std::uintmax_t length = 0; length < size; length += 997) {
    const auto path = write(places);
    fs::resize_file(path, length);
    EXPECT_FALSE(LocationTable::open(path, key_));
  }
  const auto path = write(places);
  const auto table = LocationTable::open(path, key_);
  fs::resize_file(path, 4096);
  std::vector<ChunkPlace> found;
  EXPECT_EQ(table->find(places[500].id, found), Lookup::damaged);
}

TEST_F(LocationTableTest, LeavesNothingWhenItIsNotFinished) {
  { LocationTableWriter writer(directory_ / "new", key_, 10); }
  EXPECT_TRUE(fs::is_empty(directory_ / "new"));
}

TEST_F(LocationTableTest, TablesRemoveWhatTheyCannotUse) {
  const LocationTables tables(directory_ / "cache", key_);
  EXPECT_TRUE(tables.open_all().empty());
  auto writer = tables.start(1);
  const auto path = writer.finish(sources_);
  EXPECT_EQ(tables.open_all().size(), 1U);
  const auto garbage = fs::path(path).parent_path() / "00.locations";
  std::ofstream(garbage) << "garbage";
  EXPECT_EQ(tables.open_all().size(), 1U);
  EXPECT_FALSE(fs::exists(garbage));
  tables.remove(*tables.open_all().front());
  EXPECT_TRUE(tables.open_all().empty());
}

}  // namespace
}  // namespace mbu::cache
