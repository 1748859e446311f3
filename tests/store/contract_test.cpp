// What every kind of store promises (store/store.hpp). A new kind adds itself at the end of this file.
#include <atomic>
#include <map>

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"
#include "base/parallel.hpp"
#include "store/store.hpp"

namespace mbu::store {
namespace {

struct Kind {
  const char* name;
  std::string suffix;  // of its location in a directory of the test's own
};

class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    store_ = reopen();
    store_->create(as_bytes("config bytes"), {});
  }
  std::unique_ptr<Store> reopen() const { return open_store(directory_ / ("repository" + GetParam().suffix)); }

  std::vector<ObjectName> names(Folder folder) const {
    std::vector<ObjectName> all;
    for (const auto& listed : store_->list(folder, false)) all.push_back(listed.name);
    return all;
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  test::Random random_{1};
};

TEST_P(StoreContract, NamesAnObjectByTheHashOfItsBytes) {
  for (const auto folder : kFolders) {
    const auto bytes = random_.bytes(1000);
    EXPECT_EQ(put(*store_, folder, bytes), ObjectName::from(crypto::sha256(bytes)));
  }
}

TEST_P(StoreContract, GivesBackWhatWasPut) {
  for (const auto folder : kFolders) {
    for (const std::size_t size : {0u, 1u, 4095u, 4096u, 3'000'000u}) {
      const auto bytes = random_.bytes(size);
      const auto name = put(*store_, folder, bytes);
      for (auto* store : {store_.get(), reopen().release()}) {
        const std::unique_ptr<Store> owned(store == store_.get() ? nullptr : store);
        EXPECT_EQ(store->read(folder, name), bytes);
        EXPECT_EQ(store->size(folder, name), size);
        EXPECT_EQ(read_verified(*store, folder, name, size), bytes);
      }
    }
  }
}

TEST_P(StoreContract, JoinsThePiecesThatWereAppended) {
  auto writer = store_->start(Folder::packs);
  ByteBuffer whole;
  for (int i = 0; i < 50; ++i) {
    const auto piece = random_.bytes(random_.below(5000));
    writer->append(piece);
    append(whole, piece);
  }
  const auto name = writer->publish();
  EXPECT_EQ(name, ObjectName::from(crypto::sha256(whole)));
  EXPECT_EQ(store_->read(Folder::packs, name), whole);
}

TEST_P(StoreContract, ReadsAnyRange) {
  const auto bytes = random_.bytes(10'000);
  const auto name = put(*store_, Folder::packs, bytes);
  for (const auto& [offset, size] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 0}, {0, 10'000}, {0, 1}, {9'999, 1}, {10'000, 0}, {123, 4567}}) {
    ByteBuffer piece(size, 0xee);
    store_->read_at(Folder::packs, name, offset, piece);
    EXPECT_TRUE(std::equal(piece.begin(), piece.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
}

TEST_P(StoreContract, SaysWhenAnObjectIsTooShort) {
  const auto name = put(*store_, Folder::packs, random_.bytes(100));
  ByteBuffer piece(2);
  test::expect_error(Code::corrupt, "cut short", [&] { store_->read_at(Folder::packs, name, 99, piece); });
  test::expect_error(Code::corrupt, "cut short", [&] { store_->read_at(Folder::packs, name, 1'000'000, piece); });
}

TEST_P(StoreContract, SaysWhatIsNotThere) {
  const auto name = random_.id<ObjectName>();
  ByteBuffer piece(1);
  for (const auto folder : kFolders) {
    EXPECT_EQ(test::error_of([&] { (void)store_->read(folder, name); }).subject(), object_path(folder, name));
    test::expect_error(Code::not_found, "missing", [&] { (void)store_->read(folder, name); });
    test::expect_error(Code::not_found, "missing", [&] { (void)store_->size(folder, name); });
    test::expect_error(Code::not_found, "missing", [&] { store_->read_at(folder, name, 0, piece); });
  }
}

TEST_P(StoreContract, ListsWhatIsThere) {
  for (const auto folder : kFolders) {
    EXPECT_TRUE(names(folder).empty());
    std::map<ObjectName, std::size_t> expected;
    for (std::size_t size = 0; size < 20; ++size) expected.emplace(put(*store_, folder, random_.bytes(size)), size);
    const auto listed = store_->list(folder, true);
    ASSERT_EQ(listed.size(), expected.size());
    auto next = expected.begin();
    for (const auto& object : listed) {
      EXPECT_EQ(object.name, next->first);
      EXPECT_EQ(object.size, next->second);
      ++next;
    }
    EXPECT_EQ(names(folder).size(), expected.size());
  }
}

TEST_P(StoreContract, PutsTheSameTwiceAsOnce) {
  const auto bytes = random_.bytes(100);
  EXPECT_EQ(put(*store_, Folder::packs, bytes), put(*store_, Folder::packs, bytes));
  EXPECT_EQ(names(Folder::packs).size(), 1u);
}

TEST_P(StoreContract, KeepsItsFoldersApart) {
  const auto bytes = random_.bytes(100);
  const auto name = put(*store_, Folder::indexes, bytes);
  test::expect_error(Code::not_found, "missing", [&] { (void)store_->read(Folder::snapshots, name); });
  EXPECT_TRUE(names(Folder::packs).empty());
}

TEST_P(StoreContract, RemovesWhatIsThereAndWhatIsNot) {
  for (const auto folder : kFolders) {
    const auto name = put(*store_, folder, random_.bytes(10));
    const auto other = put(*store_, folder, random_.bytes(10));
    store_->remove(folder, name);
    EXPECT_EQ(names(folder), std::vector{other});
    store_->remove(folder, name);
  }
}

TEST_P(StoreContract, ShowsNothingThatWasNotPublished) {
  {
    auto writer = store_->start(Folder::packs);
    writer->append(random_.bytes(100'000));
    EXPECT_TRUE(names(Folder::packs).empty());
  }
  EXPECT_TRUE(names(Folder::packs).empty());
  EXPECT_EQ(store_->clean(), 0u);  // a writer that goes takes its bytes with it
}

TEST_P(StoreContract, CleansNothingOfALivingWriter) {
  auto writer = store_->start(Folder::packs);
  writer->append(as_bytes("first "));
  EXPECT_EQ(store_->clean(), 0u);
  EXPECT_EQ(reopen()->clean(), 0u);
  writer->append(as_bytes("second"));
  const auto name = writer->publish();
  EXPECT_EQ(as_text(store_->read(Folder::packs, name)), "first second");
}

TEST_P(StoreContract, SaysWhenBytesDoNotHashToTheirName) {
  const auto name = put(*store_, Folder::indexes, random_.bytes(100));
  test::expect_error(Code::corrupt, "larger", [&] { (void)read_verified(*store_, Folder::indexes, name, 99); });
  EXPECT_EQ(read_verified(*store_, Folder::indexes, name, 100).size(), 100u);
}

TEST_P(StoreContract, IsMadeOnce) {
  const auto config = store_->read_config();
  ASSERT_TRUE(config);
  EXPECT_EQ(as_text(*config), "config bytes");
  test::expect_error(Code::failed, "already", [&] { reopen()->create(as_bytes("other"), {}); });
  EXPECT_EQ(store_->read_config(), config);
}

TEST_P(StoreContract, IsMadeWithItsFirstObjects) {
  const auto store = open_store(directory_ / ("other" + GetParam().suffix));
  EXPECT_FALSE(store->read_config());
  store->create(as_bytes("c"), {{Folder::keys, ByteBuffer(5, 1)}, {Folder::statements, ByteBuffer(6, 2)}});
  EXPECT_EQ(store->list(Folder::keys, true).at(0).size, 5u);
  EXPECT_EQ(store->list(Folder::statements, true).at(0).size, 6u);
}

TEST_P(StoreContract, IsMadeByOneOfManyAtOnce) {
  const auto location = directory_ / ("race" + GetParam().suffix);
  std::atomic<int> made{0}, refused{0};
  parallel_for(4, 8, [&](unsigned, std::size_t i) {
    const auto config = std::string("config ") + std::to_string(i);
    try {
      open_store(location)->create(as_bytes(config), {{Folder::keys, ByteBuffer(3, static_cast<std::uint8_t>(i))}});
      ++made;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::failed) << error.what();
      ++refused;
    }
  });
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, 7);
  const auto store = open_store(location);
  const auto config = store->read_config().value();
  const auto keys = store->list(Folder::keys, false);
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(store->read(Folder::keys, keys[0].name)[0], config.back() - '0');
}

TEST_P(StoreContract, ServesManyThreads) {
  std::vector<ByteBuffer> contents;
  for (int i = 0; i < 40; ++i) contents.push_back(random_.bytes(1 + random_.below(20'000)));
  parallel_for(4, contents.size() * 2, [&](unsigned, std::size_t i) {
    const auto& bytes = contents[i % contents.size()];
    const auto name = put(*store_, Folder::packs, bytes);
    EXPECT_EQ(store_->read(Folder::packs, name), bytes);
    (void)store_->list(Folder::packs, true);
    (void)store_->clean();
  });
  EXPECT_EQ(names(Folder::packs).size(), contents.size());
}

INSTANTIATE_TEST_SUITE_P(Kinds, StoreContract, testing::Values(Kind{"Directory", ""}),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST(OpenStore, RefusesKindsThatThisVersionDoesNotHave) {
  for (const char* location : {"s3:bucket", "sftp:host:dir", "rclone:remote", "/tmp/backup.mbu"}) {
    test::expect_error(Code::usage, "this version", [&] { (void)open_store(location); });
  }
}

}  // namespace
}  // namespace mbu::store
