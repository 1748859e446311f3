#include <map>
#include <set>

#include "format/body.hpp"
#include "format/padme.hpp"
#include "support.hpp"

namespace mbu::repo {
namespace {

using format::BlockRole;

class Pack : public test::RepositoryTest {
 protected:
  // Overwrites bytes of a published pack where they lie.
  void alter(const ObjectName& name, std::size_t offset) {
    const auto path = file_of(store::Folder::packs, name);
    auto bytes = test::read_whole(path);
    bytes.at(offset) ^= 1;
    test::write_whole(path, bytes);
  }
};

TEST_F(Pack, GivesBackItsBlocks) {
  std::vector<ByteBuffer> blocks{random_.bytes(1), ByteBuffer(300'000, 'z'), random_.bytes(100'000)};
  const auto written = describe_pack(blocks);
  const auto read = read_toc(*vault_, written.name);
  EXPECT_EQ(read, written);
  BlockFetcher fetcher(*vault_);
  const auto info = pack_info(read);
  for (const std::uint32_t i : {2u, 0u, 1u, 0u}) {
    const auto plain = fetcher.fetch(info, i);
    EXPECT_EQ(ByteBuffer(plain.begin(), plain.end()), blocks[i]);
  }
}

TEST_F(Pack, ComputesIdsByRole) {
  const auto bytes = as_bytes("hello");
  std::set<ChunkId> ids;
  for (const auto role : {BlockRole::data, BlockRole::list, BlockRole::page}) ids.insert(chunk_id(domain(), role, bytes));
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(chunk_id(domain(), BlockRole::inlined, bytes), chunk_id(domain(), BlockRole::data, bytes));
}

TEST_F(Pack, CompressesWhatGetsShorter) {
  const auto toc = describe_pack({ByteBuffer(100'000, 'z'), random_.bytes(100'000), random_.bytes(10)}).toc;
  EXPECT_EQ(toc.blocks[0].method, format::BlockMethod::zstd);
  EXPECT_LT(toc.blocks[0].stored, 1000u);
  EXPECT_EQ(toc.blocks[1].method, format::BlockMethod::raw);
  EXPECT_EQ(toc.blocks[1].stored, 100'000u);
  EXPECT_EQ(toc.blocks[2].method, format::BlockMethod::raw);
}

// One raw block of three bytes behind a header with that window, or without one (0).
ByteBuffer frame_with_window(std::uint8_t window) {
  ByteBuffer frame{0x28, 0xb5, 0x2f, 0xfd};
  if (window == 0) {
    append(frame, ByteBuffer{0x20, 3});
  } else {
    append(frame, ByteBuffer{0, window});
  }
  append(frame, ByteBuffer{3 << 3 | 1, 0, 0, 'a', 'b', 'c'});
  return frame;
}

TEST(Decompressor, RefusesWindowsAbove8MiB) {
  Decompressor decompressor;
  ByteBuffer plain(3);
  for (const int good : {0, 1, 10 << 3, 13 << 3}) {
    EXPECT_TRUE(decompressor.decompress(frame_with_window(static_cast<std::uint8_t>(good)), plain)) << good;
  }
  for (const int bad : {13 << 3 | 1, 14 << 3, 31 << 3 | 7}) {
    EXPECT_FALSE(decompressor.decompress(frame_with_window(static_cast<std::uint8_t>(bad)), plain)) << bad;
  }
  auto other = frame_with_window(1);
  other[0] = 0x27;  // what zstd wrote before its format was fixed
  EXPECT_FALSE(decompressor.decompress(other, plain));
  for (std::size_t size = 0; size < 10; ++size) {
    EXPECT_FALSE(decompressor.decompress(ByteView(frame_with_window(1)).first(size), plain)) << size;
  }
}

TEST_F(Pack, StoresRawWhenToldTo) {
  Compression off;
  off.off = true;
  Compressor compressor(off);
  Scratch to;
  EXPECT_FALSE(compressor.compress(ByteBuffer(100'000, 'z'), to));
}

// A sample's entropy tells nothing of repetitions.
TEST_F(Pack, CompressesWhatLooksRandomAndRepeatsItself) {
  const auto piece = random_.bytes(50'000);
  ByteBuffer bytes;
  for (int i = 0; i < 20; ++i) append(bytes, piece);
  Compressor compressor(Compression{});
  Scratch to;
  ASSERT_TRUE(compressor.compress(bytes, to));
  EXPECT_LT(to.size(), 2 * piece.size());
  EXPECT_FALSE(compressor.compress(random_.bytes(1'000'000), to));
}

TEST_F(Pack, CompressesWhatRepeatsItselfOnlyTowardsItsEnd) {
  auto bytes = random_.bytes(150'000);
  const auto piece = random_.bytes(20'000);
  for (int i = 0; i < 10; ++i) append(bytes, piece);
  Compressor compressor(Compression{});
  Scratch to;
  ASSERT_TRUE(compressor.compress(bytes, to));
  EXPECT_LT(to.size(), 200'000u);
}

TEST_F(Pack, SmallOnesHavePaddedSizes) {
  std::set<std::uint64_t> sizes;
  for (const std::size_t size : {1u, 1000u, 1010u, 1020u, 1030u, 1040u, 1050u, 3000u, 500'000u}) {
    const auto pack = describe_pack({random_.bytes(size)});
    ASSERT_EQ(store().size(store::Folder::packs, pack.name), pack.size);
    auto unpadded = pack.toc;
    if (unpadded.blocks.back().role == BlockRole::padding) unpadded.blocks.pop_back();
    const auto frame = Compressor(Compression{}).frame(format::encode_toc(unpadded));
    const auto natural = format::kSealedHeaderSize + size + format::encode_sealed_toc_plain({}, 1, frame).size() + 96;
    EXPECT_GE(pack.size, format::padme(natural));
    sizes.insert(pack.size);
  }
  EXPECT_LE(sizes.size(), 6u);
}

TEST_F(Pack, LargeOnesHaveNoPadding) {
  const auto pack = describe_pack({random_.bytes(1'100'000)});
  EXPECT_EQ(pack.toc.blocks.size(), 1u);
}

TEST_F(Pack, NeverUsesANonceTwiceUnderOneKey) {
  std::map<crypto::Digest, std::set<std::uint32_t>> used;
  for (int i = 0; i < 10; ++i) {
    const auto pack = describe_pack({random_.bytes(10), random_.bytes(10), random_.bytes(10)});
    auto& numbers = used[crypto::sha256(pack.header)];
    EXPECT_TRUE(numbers.empty()) << "two packs have one key";
    for (std::uint32_t block = 0; block < pack.toc.blocks.size(); ++block) EXPECT_TRUE(numbers.insert(block).second);
  }
  EXPECT_EQ(used.size(), 10u);
}

TEST_F(Pack, BlocksConsumeNumbersWhateverHappens) {
  const auto header = make_header(keyring(), format::ObjectKind::pack);
  BlockSealer sealer(header, domain(), true);
  const auto bytes = random_.bytes(100);
  const format::ChunkRef wrong{ChunkId{}, 100}, right{chunk_id(domain(), BlockRole::data, bytes), 100};
  EXPECT_THROW((void)sealer.seal(BlockRole::data, Packing::compressed, bytes, {&wrong, 1}, scratch_), Error);
  const auto sealed = sealer.seal(BlockRole::data, Packing::compressed, bytes, {&right, 1}, scratch_);
  const ByteBuffer stored(sealed.stored.begin(), sealed.stored.end());
  BlockOpener opener(header);
  auto as_another = stored, as_it_is = stored;
  EXPECT_THROW((void)opener.open(0, sealed.entry, as_another, scratch_, "it"), Error);
  EXPECT_EQ(opener.open(1, sealed.entry, as_it_is, scratch_, "it").size(), 100u);
}

// Verification recomputes ids from what comes out: a chunk that does not have its id stands for one that was altered on the way.
TEST_F(Pack, VerificationCatchesAChunkThatIsNotWhatItsIdSays) {
  const auto bytes = random_.bytes(1000);
  const format::ChunkRef first{chunk_id(domain(), BlockRole::data, ByteView(bytes).first(500)), 500};
  const format::ChunkRef second{random_.id<ChunkId>(), 500};
  const std::array chunks{first, second};
  PackWriter verifying(*vault_, true);
  test::expect_error(Code::failed, "just made", [&] { verifying.add(BlockRole::data, Packing::compressed, bytes, chunks, scratch_); });
  PackWriter trusting(*vault_, false);
  EXPECT_NO_THROW(trusting.add(BlockRole::data, Packing::compressed, bytes, chunks, scratch_));
}

TEST_F(Pack, BlocksBelongToTheirPackTheirPlaceAndTheirRole) {
  const auto header = make_header(keyring(), format::ObjectKind::pack);
  const auto other = make_header(keyring(), format::ObjectKind::pack);
  const auto bytes = random_.bytes(100);
  const format::ChunkRef chunk{chunk_id(domain(), BlockRole::data, bytes), 100};
  const auto sealed = BlockSealer(header, domain(), false).seal(BlockRole::data, Packing::compressed, bytes, {&chunk, 1}, scratch_);
  const auto entry = sealed.entry;
  const ByteBuffer stored(sealed.stored.begin(), sealed.stored.end());
  const auto opens = [&](const OpenHeader& in, std::uint32_t number, format::BlockEntry as) {
    try {
      auto copy = stored;
      return BlockOpener(in).open(number, as, copy, scratch_, "data/ab").size() == 100;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt);
      return false;
    }
  };
  EXPECT_TRUE(opens(header, 0, entry));
  EXPECT_FALSE(opens(other, 0, entry));
  EXPECT_FALSE(opens(header, 1, entry));
  auto changed = entry;
  changed.role = BlockRole::page;
  EXPECT_FALSE(opens(header, 0, changed));
  changed = entry;
  changed.plain = 99;
  EXPECT_FALSE(opens(header, 0, changed));
  changed = entry;
  changed.tag[0] ^= 1;
  EXPECT_FALSE(opens(header, 0, changed));
}

TEST_F(Pack, NoticesDamageAnywhereAndNamesItself) {
  const auto pack = describe_pack({random_.bytes(1000)});
  const auto path = store::object_path(store::Folder::packs, pack.name);
  const auto damaged = [&](auto act) {
    const auto error = test::error_of(act);
    EXPECT_EQ(error.code(), Code::corrupt) << error.what();
    EXPECT_EQ(error.subject(), path);
  };
  for (const std::size_t offset : {0u, 10u, 60u, 70u, 100u, 150u, 207u}) {  // header
    alter(pack.name, offset);
    damaged([&] { (void)read_toc(*vault_, pack.name); });
    alter(pack.name, offset);
  }
  for (const std::size_t back : {1u, 9u, 13u, 17u, 79u, 81u, 100u}) {  // trailer, signature, toc
    alter(pack.name, pack.size - back);
    damaged([&] { (void)read_toc(*vault_, pack.name); });
    alter(pack.name, pack.size - back);
  }
  BlockFetcher fetcher(*vault_);
  alter(pack.name, 208 + 500);
  EXPECT_NO_THROW((void)read_toc(*vault_, pack.name));
  damaged([&] { (void)fetcher.fetch(pack_info(pack), 0); });
}

TEST_F(Pack, CutShortIsDamaged) {
  const auto pack = describe_pack({random_.bytes(1000)});
  const auto path = file_of(store::Folder::packs, pack.name);
  const auto whole = test::read_whole(path);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    test::write_whole(path, ByteView(whole).first(size));
    EXPECT_EQ(test::error_of([&] { (void)read_toc(*vault_, pack.name); }).code(), Code::corrupt) << size;
  }
}

TEST_F(Pack, LeavesNothingWhenItIsNotFinished) {
  {
    PackWriter writer(*vault_, false);
    writer.add(BlockRole::data, Packing::compressed, random_.bytes(1000), {}, scratch_);
  }
  EXPECT_TRUE(store().list(store::Folder::packs, false).empty());
  EXPECT_EQ(store().clean(), 0u);
}

TEST(Decompressor, TakesWholeFramesOfTheRightLengthOnly) {
  const ByteBuffer plain(5000, 'z');
  const auto frame = Compressor(Compression{}).frame(plain);
  Decompressor decompressor;
  ByteBuffer out(5000);
  EXPECT_TRUE(decompressor.decompress(frame, out));
  EXPECT_EQ(out, plain);
  ByteBuffer shorter(4999), longer(5001);
  EXPECT_FALSE(decompressor.decompress(frame, shorter));
  EXPECT_FALSE(decompressor.decompress(frame, longer));
  EXPECT_FALSE(decompressor.decompress(ByteView(frame).first(frame.size() - 1), out));
  EXPECT_FALSE(decompressor.decompress({}, out));
  auto twice = frame;
  append(twice, frame);
  ByteBuffer both(10'000);
  EXPECT_FALSE(decompressor.decompress(twice, both));
}

}  // namespace
}  // namespace mbu::repo
