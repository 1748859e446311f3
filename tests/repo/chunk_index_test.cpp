#include "repo/chunk_index.hpp"

#include <filesystem>

#include "format/lock.hpp"
#include "support.hpp"

namespace mbu::repo {
namespace {

using format::BlockRole;

class ChunkIndexTest : public test::RepositoryTest {
 protected:
  ChunkId id_of(ByteView bytes) const { return chunk_id(domain(), BlockRole::data, bytes); }

  // A tombstone set for the packs, signed by the owner unless told otherwise; its name.
  ObjectName bury(std::vector<ObjectName> packs, const crypto::SigningKey& signer) {
    format::Lock lock;
    lock.kind = format::LockKind::tombstones;
    lock.packs = std::move(packs);
    return store::put(store(), store::Folder::locks,
                      seal_object(keyring(), format::ObjectKind::lock, signer, format::encode_lock(lock)));
  }
};

TEST_F(ChunkIndexTest, FindsChunksWithAndWithoutIndexes) {
  const auto a = random_.bytes(1000), b = random_.bytes(2000);
  const auto indexed = write_pack({a});
  const auto alone = write_pack({b});
  write_index(*vault_, {indexed});
  const auto index = load_index();
  EXPECT_TRUE(damage_.empty());
  EXPECT_EQ(index.pack_count(), 2u);
  EXPECT_EQ(index.unindexed(), std::vector{alone.name});
  const auto found = index.find(id_of(b));
  ASSERT_TRUE(found);
  EXPECT_EQ(index.pack(found->pack)->name, alone.name);
  EXPECT_EQ(found->length, 2000u);
  EXPECT_FALSE(index.find(random_.id<ChunkId>()));
  EXPECT_EQ(index.find_pack(indexed.name).has_value(), true);
  EXPECT_FALSE(index.find_pack(random_.id<ObjectName>()));
}

TEST_F(ChunkIndexTest, KnowsNoPackThatIsNotThere) {
  const auto a = random_.bytes(1000);
  const auto pack = write_pack({a});
  write_index(*vault_, {pack});
  store().remove(store::Folder::packs, pack.name);
  const auto index = load_index();
  EXPECT_EQ(index.pack_count(), 0u);
  EXPECT_FALSE(index.find(id_of(a)));
}

TEST_F(ChunkIndexTest, TellsOfADamagedIndexAndReadsThePacks) {
  const auto a = random_.bytes(1000);
  const auto name = write_index(*vault_, {write_pack({a})});
  auto bytes = store().read(store::Folder::indexes, name);
  bytes[300] ^= 1;
  test::write_whole(file_of(store::Folder::indexes, name), bytes);
  const auto index = load_index();
  ASSERT_EQ(damage_.size(), 1u);
  EXPECT_EQ(damage_[0].object, store::object_path(store::Folder::indexes, name));
  EXPECT_TRUE(index.find(id_of(a)));
}

TEST_F(ChunkIndexTest, TellsOfADamagedPackAndGoesOn) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto bad = write_pack({a});
  write_pack({b});
  auto bytes = store().read(store::Folder::packs, bad.name);
  bytes[bytes.size() - 30] ^= 1;
  test::write_whole(file_of(store::Folder::packs, bad.name), bytes);
  const auto index = load_index();
  ASSERT_EQ(damage_.size(), 1u);
  EXPECT_EQ(damage_[0].object, store::object_path(store::Folder::packs, bad.name));
  EXPECT_FALSE(index.find(id_of(a)));
  EXPECT_TRUE(index.find(id_of(b)));
}

TEST_F(ChunkIndexTest, BelievesNoStranger) {
  const auto a = random_.bytes(1000);
  const auto pack = write_pack({a});
  const crypto::SigningKey stranger(crypto::random_key());
  const auto plain = format::encode_index({{pack}, {}});
  const auto name = store::put(store(), store::Folder::indexes,
                               seal_object(keyring(), format::ObjectKind::index, stranger, plain));
  test::expect_error(Code::corrupt, "never admitted", [&] { (void)read_index(*vault_, name); });
  const auto index = load_index();
  EXPECT_EQ(damage_.size(), 1u);
  EXPECT_EQ(index.unindexed().size(), 1u);
  EXPECT_TRUE(index.find(id_of(a)));
}

// What a writer says of another's pack counts for nothing.
TEST_F(ChunkIndexTest, LetsAnothersPackSpeakForItself) {
  const auto a = random_.bytes(1000);
  auto pack = write_pack({a});
  pack.writer = random_.id<PublicKey>();
  pack.toc.chunks[0].id = random_.id<ChunkPrefix>();
  write_index(*vault_, {pack});
  const auto index = load_index();
  EXPECT_EQ(index.unindexed(), std::vector{pack.name});
  EXPECT_TRUE(index.find(id_of(a)));
}

// Of its own pack a writer's index may lie; the toc is right.
TEST_F(ChunkIndexTest, CorrectsWhatAnIndexSaysOfAPack) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000), c = random_.bytes(1000);
  const auto right = write_pack({a}), alone = write_pack({c});
  auto wrong = write_pack({b});
  wrong.toc.chunks[0].id = random_.id<ChunkPrefix>();
  write_index(*vault_, {right, wrong});
  const auto index = load_index();
  EXPECT_FALSE(index.find(id_of(b)));
  const auto& corrected = index.corrections();
  ASSERT_EQ(corrected.pack_count(), 1u);
  EXPECT_EQ(corrected.pack(0)->name, wrong.name);
  EXPECT_TRUE(corrected.find(id_of(b)));
  EXPECT_EQ(&corrected, &index.corrections());
  EXPECT_EQ(corrected.corrections().pack_count(), 0u);
}

TEST_F(ChunkIndexTest, KnowsAllCopiesTombstonedOnesLast) {
  const auto a = random_.bytes(1000);
  const auto one = write_pack({a}), buried = write_pack({a}), two = write_pack({a});
  bury({buried.name}, keyring().owner_signer());
  const auto index = load_index();
  const auto copies = index.copies(id_of(a));
  ASSERT_EQ(copies.size(), 3u);
  EXPECT_EQ(copies[0], index.find(id_of(a)));
  EXPECT_EQ(index.pack(copies[2].pack)->name, buried.name);
  EXPECT_TRUE(index.copies(random_.id<ChunkId>()).empty());
}

TEST_F(ChunkIndexTest, RefersToNoTombstonedPack) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto buried = write_pack({a, b});
  const auto kept = write_pack({b});
  bury({buried.name}, keyring().owner_signer());
  const auto index = load_index();
  EXPECT_TRUE(damage_.empty());
  EXPECT_TRUE(index.find(id_of(a)));  // still to be read
  EXPECT_FALSE(index.may_refer_to(id_of(a)));
  EXPECT_TRUE(index.may_refer_to(id_of(b)));
  EXPECT_EQ(index.pack(index.find(id_of(b))->pack)->name, kept.name);
}

TEST_F(ChunkIndexTest, HonoursTombstonesOfTheOwnerOnly) {
  const auto a = random_.bytes(1000);
  const auto pack = write_pack({a});
  bury({pack.name}, keyring().writer_signer());
  const auto index = load_index();
  ASSERT_EQ(damage_.size(), 1u);
  EXPECT_NE(damage_[0].message.find("owner"), std::string::npos);
  EXPECT_TRUE(index.may_refer_to(id_of(a)));
}

TEST_F(ChunkIndexTest, OfTwoFirstTombstoneSetsTheLargerIsVoid) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto one = write_pack({a}), other = write_pack({b});
  const auto first = bury({one.name}, keyring().owner_signer());
  const auto second = bury({other.name}, keyring().owner_signer());
  const auto index = load_index();
  EXPECT_EQ(index.may_refer_to(id_of(a)), first > second);
  EXPECT_EQ(index.may_refer_to(id_of(b)), second > first);
}

// With every index object transcribed into a table.
class ChunkIndexWithTables : public ChunkIndexTest {
 protected:
  ChunkIndex load() { return load(&tables_); }
  ChunkIndex load(const cache::LocationTables* tables) {
    damage_.clear();
    return ChunkIndex::load(*vault_, [this](const CheckReport::Finding& finding) { damage_.push_back(finding); },
                            {.tables = tables, .chunks_for_table = 0});
  }
  std::size_t table_count() const { return tables_.open_all().size(); }
  void expect_reads(const ChunkIndex& index, ByteView bytes) {
    const auto place = index.find(id_of(bytes));
    ASSERT_TRUE(place);
    const auto pack = index.pack(place->pack);
    ASSERT_TRUE(pack);
    EXPECT_EQ(pack->name, index.pack_name(place->pack));
    BlockFetcher fetcher(*vault_);
    EXPECT_TRUE(std::ranges::equal(fetcher.fetch(*pack, place->block).subspan(place->offset, place->length), bytes));
  }
  // Writes garbage behind the header of each table, which is seen only when one looks there.
  void spoil_tables() {
    for (const auto& table : tables_.open_all()) {
      auto bytes = test::read_whole(table->path());
      for (std::size_t i = 4096; i < 3 * 4096; ++i) bytes[i] ^= 0x5a;
      test::write_whole(table->path(), bytes);
    }
  }

  crypto::Key key_ = crypto::random_key();
  std::string cache_ = directory_ / "cache";
  cache::LocationTables tables_{cache_, key_};
};

TEST_F(ChunkIndexWithTables, FindsWhatItFindsWithoutThem) {
  const auto a = random_.bytes(1000), b = random_.bytes(2000), c = random_.bytes(500);
  write_index(*vault_, {write_pack({a, b})});
  (void)write_pack({c});
  for (int time = 0; time < 3; ++time) {
    const auto index = load();
    EXPECT_TRUE(damage_.empty());
    for (const auto* bytes : {&a, &b, &c}) expect_reads(index, *bytes);
    EXPECT_FALSE(index.find(random_.id<ChunkId>()));
    EXPECT_EQ(index.unindexed().size(), 1u);
    EXPECT_EQ(table_count(), 1u);
  }
}

TEST_F(ChunkIndexWithTables, ReadsNoIndexObjectTwice) {
  const auto a = random_.bytes(1000);
  const auto name = write_index(*vault_, {write_pack({a})});
  (void)load();
  store().remove(store::Folder::indexes, name);
  const auto index = load();
  expect_reads(index, a);
  EXPECT_TRUE(index.unindexed().empty());
}

TEST_F(ChunkIndexWithTables, KnowsNoPackThatIsNotThereAnyMore) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto gone = write_pack({a});
  write_index(*vault_, {gone, write_pack({b})});
  (void)load();
  store().remove(store::Folder::packs, gone.name);
  const auto index = load();
  EXPECT_FALSE(index.find(id_of(a)));
  EXPECT_FALSE(index.find_pack(gone.name));
  expect_reads(index, b);
}

TEST_F(ChunkIndexWithTables, MergesSmallTables) {
  std::vector<ByteBuffer> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(random_.bytes(100 + i));
    write_index(*vault_, {write_pack({all.back()})});
    (void)load();
  }
  EXPECT_LT(table_count(), 6u);
  const auto index = load();
  for (const auto& bytes : all) expect_reads(index, bytes);
}

TEST_F(ChunkIndexWithTables, ForgetsPacksThatAreGoneWhenItMerges) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto gone = write_pack({a});
  write_index(*vault_, {gone});
  (void)load();
  store().remove(store::Folder::packs, gone.name);
  write_index(*vault_, {write_pack({b})});
  expect_reads(load(), b);
  ASSERT_EQ(table_count(), 1u);
  EXPECT_EQ(tables_.open_all().front()->chunk_count(), 1u);
}

TEST_F(ChunkIndexWithTables, TwoTablesMayHoldOnePack) {
  const auto a = random_.bytes(1000);
  const auto pack = write_pack({a});
  write_index(*vault_, {pack});
  const cache::LocationTables other(directory_ / "other", key_);
  (void)load(&other);
  (void)load();
  std::filesystem::copy(directory_ / "other", cache_, std::filesystem::copy_options::recursive);
  EXPECT_EQ(table_count(), 2u);
  const auto index = load();
  EXPECT_EQ(index.copies(id_of(a)).size(), 1u);
  expect_reads(index, a);
}

TEST_F(ChunkIndexWithTables, ReplacesADamagedTableByWhatItWasMadeFrom) {
  std::vector<ByteBuffer> all;
  for (int i = 0; i < 10; ++i) all.push_back(random_.bytes(1000));
  const auto name = write_index(*vault_, {write_pack({all[0], all[1]}), write_pack({all[2]})});
  write_index(*vault_, {write_pack({all.begin() + 3, all.end()})});
  (void)load();
  for (const bool index_is_there : {true, false}) {
    const auto index = load();
    spoil_tables();
    if (!index_is_there) store().remove(store::Folder::indexes, name);
    for (const auto& bytes : all) expect_reads(index, bytes);
    EXPECT_FALSE(index.find(random_.id<ChunkId>()));
    EXPECT_EQ(table_count(), 0u);
    (void)load();
  }
}

TEST_F(ChunkIndexWithTables, KeepsNumbersWhenItMends) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  write_index(*vault_, {write_pack({a}), write_pack({b})});
  (void)load();
  const auto index = load();
  const auto before = *index.find(id_of(a));
  const auto name = index.pack_name(before.pack);
  spoil_tables();
  (void)write_pack({random_.bytes(10)});  // by another program, since this one has listed the packs
  EXPECT_TRUE(index.find(id_of(b)));
  EXPECT_EQ(index.find(id_of(a)), before);
  EXPECT_EQ(index.pack_name(before.pack), name);
}

TEST_F(ChunkIndexWithTables, TakesInWhatTheRunPublishes) {
  const auto a = random_.bytes(1000), b = random_.bytes(1000);
  const auto first = write_pack({a});
  write_index(*vault_, {first});
  auto index = load();
  const auto count = index.pack_count();
  const auto second = write_pack({b});
  EXPECT_FALSE(index.find(id_of(b)));
  ASSERT_TRUE(index.extend(write_index(*vault_, {second}), {second}));
  expect_reads(index, a);
  expect_reads(index, b);
  EXPECT_GE(index.find(id_of(b))->pack, count);
  spoil_tables();
  expect_reads(index, a);
  expect_reads(index, b);
  expect_reads(load(), b);
}

TEST_F(ChunkIndexWithTables, ExtendsNothingWithoutATable) {
  auto index = load_index();
  const auto pack = write_pack({random_.bytes(10)});
  EXPECT_FALSE(index.extend(write_index(*vault_, {pack}), {pack}));
}

TEST_F(ChunkIndexWithTables, HonoursTombstonesThatCameLater) {
  const auto a = random_.bytes(1000);
  const auto pack = write_pack({a});
  write_index(*vault_, {pack});
  (void)load();
  bury({pack.name}, keyring().owner_signer());
  EXPECT_FALSE(load().may_refer_to(id_of(a)));
}

TEST_F(ChunkIndexWithTables, CorrectsWhatATableSaysOfAPack) {
  const auto b = random_.bytes(1000);
  auto wrong = write_pack({b});
  wrong.toc.chunks[0].id = random_.id<ChunkPrefix>();
  write_index(*vault_, {wrong});
  (void)load();
  const auto index = load();
  EXPECT_FALSE(index.find(id_of(b)));
  EXPECT_TRUE(index.corrections().find(id_of(b)));
}

}  // namespace
}  // namespace mbu::repo
