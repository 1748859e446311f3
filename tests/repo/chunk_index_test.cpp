#include "repo/chunk_index.hpp"

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
  EXPECT_EQ(index.chunk_count(), 2u);
  EXPECT_EQ(index.index_object_count(), 1u);
  EXPECT_EQ(index.unindexed(), std::vector{alone.name});
  const auto found = index.find(id_of(b));
  ASSERT_TRUE(found);
  EXPECT_EQ(index.pack(found->pack).name, alone.name);
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
  pack.toc.chunks[0].id = random_.id<ChunkId>();
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
  wrong.toc.chunks[0].id = random_.id<ChunkId>();
  write_index(*vault_, {right, wrong});
  const auto index = load_index();
  EXPECT_FALSE(index.find(id_of(b)));
  const auto& corrected = index.corrections();
  ASSERT_EQ(corrected.pack_count(), 1u);
  EXPECT_EQ(corrected.pack(0).name, wrong.name);
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
  EXPECT_EQ(index.pack(copies[2].pack).name, buried.name);
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
  EXPECT_EQ(index.pack(index.find(id_of(b))->pack).name, kept.name);
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

}  // namespace
}  // namespace mbu::repo
