// The cache may be deleted, cut or filled with garbage at any time: it is then an empty one, and no more.
#include "cache/cache.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"

namespace mbu::cache {
namespace {

namespace fs = std::filesystem;

class CacheTest : public testing::Test {
 protected:
  std::unique_ptr<Cache> open() { return open(key_); }
  std::unique_ptr<Cache> open(const crypto::Key& key) {
    return std::make_unique<Cache>(where_, key, [this](const std::string& text) { warnings_.push_back(text); });
  }

  // Puts one record and one page, and closes the cache.
  void fill() {
    const auto cache = open();
    cache->put_directory(path_, record_);
    cache->open_pages(series_)->put(page_, bytes_);
    cache->commit();
  }
  bool has_all(Cache& cache) {
    const auto record = cache.find_directory(path_);
    const auto page = cache.open_pages(series_)->find(page_);
    return record && record->page == record_.page && record->fingerprints == record_.fingerprints &&
           record->child_pages == record_.child_pages && page == bytes_;
  }
  // That what is there works, whatever was done to it, and never gives anything wrong.
  void expect_usable() {
    {
      const auto cache = open();
      if (const auto record = cache->find_directory(path_)) {
        EXPECT_EQ(record->page, record_.page);
      }
      const auto pages = cache->open_pages(series_);
      if (const auto page = pages->find(page_)) {
        EXPECT_EQ(*page, bytes_);
      }
      cache->put_directory(path_, record_);
      pages->put(page_, bytes_);
      cache->commit();
    }
    EXPECT_LE(warnings_.size(), 2u);
    warnings_.clear();
  }

  test::TemporaryDirectory directory_;
  std::string where_ = directory_ / "cache";
  test::Random random_{1};
  crypto::Key key_ = crypto::random_key();
  crypto::Digest path_ = random_.array<32>();
  crypto::Digest series_ = random_.array<32>();
  ChunkId page_ = random_.id<ChunkId>();
  ByteBuffer bytes_ = random_.bytes(5000);
  DirectoryRecord record_{random_.id<ChunkId>(), random_.array<32>(), 1, 2, 3, {random_.id<ChunkId>()}, {4, 5, 6}};
  std::vector<std::string> warnings_;
};

TEST_F(CacheTest, RemembersAcrossRuns) {
  fill();
  const auto cache = open();
  EXPECT_TRUE(has_all(*cache));
  const auto record = cache->find_directory(path_);
  EXPECT_EQ(record->fingerprint, record_.fingerprint);
  EXPECT_EQ(std::tuple(record->files, record->directories, record->bytes), std::tuple(1u, 2u, 3u));
  EXPECT_FALSE(cache->find_directory(random_.array<32>()));
  EXPECT_FALSE(cache->open_pages(series_)->find(random_.id<ChunkId>()));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(CacheTest, TakesTheNewestRecord) {
  fill();
  record_.files = 99;
  fill();
  EXPECT_EQ(open()->find_directory(path_)->files, 99u);
}

TEST_F(CacheTest, KeepsRecordsBackUntilThereAreMany) {
  const auto cache = open();
  cache->keep_back(3);
  const auto other = random_.array<32>(), third = random_.array<32>();
  const auto on_disk = [&](const crypto::Digest& path) { return open()->find_directory(path).has_value(); };
  cache->put_directory(path_, record_);
  cache->put_directory(path_, record_);
  cache->put_directory(other, record_);
  cache->commit();
  EXPECT_TRUE(cache->find_directory(path_));
  EXPECT_FALSE(on_disk(path_));
  cache->put_directory(third, record_);
  for (const auto& path : {path_, other, third}) EXPECT_TRUE(on_disk(path));
  record_.files = 77;
  cache->put_directory(path_, record_);
  EXPECT_EQ(cache->find_directory(path_)->files, 77u);
  EXPECT_EQ(open()->find_directory(path_)->files, 1u);
  cache->write_back();
  EXPECT_EQ(open()->find_directory(path_)->files, 77u);
}

TEST_F(CacheTest, WithoutAPlaceRemembersNothingButPagesWhileTheyAreOpen) {
  Cache cache;
  cache.put_directory(path_, record_);
  cache.commit();
  EXPECT_FALSE(cache.find_directory(path_));
  cache.open_pages(series_)->put(page_, bytes_);
  const auto pages = cache.open_pages(series_);
  EXPECT_FALSE(pages->find(page_));
  pages->put(page_, bytes_);
  for (std::size_t bytes = 0; bytes < 2 * Pages::kMostInMemory; bytes += bytes_.size()) pages->put(random_.id<ChunkId>(), bytes_);
  EXPECT_EQ(pages->find(page_), bytes_);
}

TEST_F(CacheTest, OpensForNoOtherKey) {
  fill();
  const auto cache = open(crypto::random_key());
  EXPECT_FALSE(cache->find_directory(path_));
  EXPECT_FALSE(cache->open_pages(series_)->find(page_));
}

TEST_F(CacheTest, KeepsPagesSecret) {
  bytes_ = ByteBuffer(5000, 's');
  fill();
  const std::string secret(32, 's');
  for (const auto& entry : fs::directory_iterator(where_)) {
    const auto file = test::read_whole(entry.path().string());
    EXPECT_EQ(as_text(file).find(secret), std::string_view::npos) << entry.path();
  }
}

TEST_F(CacheTest, SurvivesItsDeletion) {
  fill();
  fs::remove_all(where_);
  expect_usable();
  EXPECT_TRUE(has_all(*open()));
}

TEST_F(CacheTest, SurvivesItsDeletionWhileItIsOpen) {
  const auto cache = open();
  fs::remove_all(where_);
  cache->put_directory(path_, record_);
  cache->commit();
  (void)cache->find_directory(path_);
  expect_usable();
}

TEST_F(CacheTest, SurvivesBeingCutAtEverySize) {
  fill();
  const auto whole = test::read_whole(where_ + "/cache.db");
  for (std::size_t size = 0; size < whole.size(); size += size < 128 ? 13 : 1021) {
    fs::remove_all(where_);
    fs::create_directory(where_);
    test::write_whole(where_ + "/cache.db", ByteView(whole).first(size));
    expect_usable();
  }
}

TEST_F(CacheTest, SurvivesGarbage) {
  for (const std::size_t size : {0u, 1u, 100u, 4096u, 100'000u}) {
    for (const auto* name : {"/cache.db", "/cache.db-wal", "/cache.db-shm"}) {
      fs::remove_all(where_);
      fill();
      test::write_whole(where_ + name, random_.bytes(size));
      expect_usable();
    }
  }
}

TEST_F(CacheTest, GivesNothingWrongWhenBytesOfItWereAltered) {
  fill();
  const auto whole = test::read_whole(where_ + "/cache.db");
  for (int round = 0; round < 60; ++round) {
    auto altered = whole;
    for (int i = 0; i < 20; ++i) altered[random_.below(altered.size())] = random_.any<std::uint8_t>();
    fs::remove_all(where_);
    fs::create_directory(where_);
    test::write_whole(where_ + "/cache.db", altered);
    expect_usable();
  }
}

TEST_F(CacheTest, DoesWithoutAPlaceThatCannotBeMade) {
  test::write_whole(where_, as_bytes("a file"));
  const auto cache = open();
  cache->put_directory(path_, record_);
  EXPECT_FALSE(cache->find_directory(path_));
  EXPECT_EQ(warnings_.size(), 1u);
}

TEST_F(CacheTest, WritesAfterReadsAndSeesWhatOthersWroteSince) {
  fill();
  const auto one = open(), other = open();
  crypto::Digest path{};
  EXPECT_FALSE(one->find_directory(path));
  one->commit();
  other->put_directory(path, record_);
  other->commit();
  EXPECT_TRUE(one->find_directory(path));
  one->put_directory(path_, record_);  // while a transaction of reads is open
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(one->find_directory(path));
  one->commit();
  EXPECT_TRUE(has_all(*other));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(CacheTest, LetsOthersInAfterSomeReads) {
  fill();
  const auto reader = open(), writer = open();
  std::jthread reading([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(reader->find_directory(path_));
  });
  crypto::Digest path{};
  for (std::uint8_t i = 0; i < 20; ++i) {
    path[0] = i;
    writer->put_directory(path, record_);
    writer->commit();
  }
  EXPECT_TRUE(has_all(*writer));
}

TEST_F(CacheTest, IsSharedByProcesses) {
  fill();
  std::vector<pid_t> children;
  for (std::uint8_t child = 0; child < 3; ++child) {
    const pid_t id = ::fork();
    if (id == 0) {
      const auto cache = open();
      for (std::uint8_t i = 0; i < 50; ++i) {
        crypto::Digest path{};
        path[0] = child;
        path[1] = i;
        cache->put_directory(path, record_);
        if (i % 10 == 0) cache->commit();
        const auto record = cache->find_directory(path_);  // none is allowed: another may be writing
        if (record && record->page != record_.page) ::_exit(1);
      }
      cache->commit();
      ::_exit(0);
    }
    children.push_back(id);
  }
  for (const auto id : children) {
    int status = 0;
    ::waitpid(id, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(has_all(*open()));
}

}  // namespace
}  // namespace mbu::cache
