// Pages of a series: in memory, on disk, and swept.
#include "cache/pages.hpp"

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"
#include "cache/cache.hpp"

namespace mbu::cache {
namespace {

class PagesTest : public testing::Test {
 protected:
  Cache open() const { return Cache(directory_ / "cache", key_, [](const std::string&) {}); }

  // So many of 20 KB that most of them lie on disk.
  std::vector<ChunkId> put_many(Pages& pages) {
    std::vector<ChunkId> ids;
    for (std::size_t i = 0; i < 500; ++i) {
      ids.push_back(random_.id<ChunkId>());
      pages.put(ids.back(), content(ids.back()));
    }
    return ids;
  }
  static ByteBuffer content(const ChunkId& id) { return ByteBuffer(20'000, id.bytes[3]); }
  static bool has_all(Pages& pages, std::span<const ChunkId> ids) {
    return std::ranges::all_of(ids, [&](const ChunkId& id) { return pages.has(id) && pages.find(id) == content(id); });
  }
  static bool has_any(Pages& pages, std::span<const ChunkId> ids) {
    return std::ranges::any_of(ids, [&](const ChunkId& id) { return pages.has(id) || pages.find(id); });
  }

  test::TemporaryDirectory directory_;
  test::Random random_{1};
  crypto::Key key_ = crypto::random_key();
  crypto::Digest series_ = random_.array<32>(), other_ = random_.array<32>();
};

TEST_F(PagesTest, AreThereAgainWhenTheyWereWrittenBack) {
  std::vector<ChunkId> ids;
  {
    auto cache = open();
    const auto pages = cache.open_pages(series_);
    ids = put_many(*pages);
    EXPECT_TRUE(has_all(*pages, ids));
  }
  auto cache = open();
  EXPECT_TRUE(has_all(*cache.open_pages(series_), ids));
  EXPECT_FALSE(has_any(*cache.open_pages(other_), ids));
}

TEST_F(PagesTest, AreSweptButThoseThatLive) {
  auto cache = open();
  const auto pages = cache.open_pages(series_), others = cache.open_pages(other_);
  const auto ids = put_many(*pages), theirs = put_many(*others);
  others->write_back();
  const auto live = std::span(ids).first(100), dead = std::span(ids).subspan(100);
  pages->sweep({live.begin(), live.end()});
  EXPECT_TRUE(has_all(*pages, live));
  EXPECT_FALSE(has_any(*pages, dead));
  EXPECT_TRUE(has_all(*others, theirs));
  pages->write_back();
  auto again = open();
  EXPECT_TRUE(has_all(*again.open_pages(series_), live));
  EXPECT_FALSE(has_any(*again.open_pages(series_), dead));
}

// What the database's key does not tell apart.
TEST_F(PagesTest, AreNotTakenForOthersWithTheSameBeginning) {
  auto cache = open();
  const auto pages = cache.open_pages(series_);
  const auto id = random_.id<ChunkId>();
  auto alike = id;
  alike.bytes[31] ^= 1;
  pages->put(id, content(id));
  EXPECT_FALSE(pages->find(alike));
  EXPECT_FALSE(pages->has(alike));
  pages->write_back();
  const auto fresh = cache.open_pages(series_);
  EXPECT_FALSE(fresh->has(alike));
  EXPECT_FALSE(fresh->find(alike));
  EXPECT_TRUE(fresh->find(id));
}

}  // namespace
}  // namespace mbu::cache
