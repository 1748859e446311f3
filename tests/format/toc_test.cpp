#include "format/toc.hpp"

#include "format/body.hpp"
#include "format/flatbuffer.hpp"
#include "format/generated/toc_generated.h"
#include "tocs.hpp"

namespace mbu::format {
namespace {

using test::Random;

TEST(Toc, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    const auto toc = test::some_toc(random, random.below(30), random.coin());
    EXPECT_EQ(decode_toc(encode_toc(toc), test::kSubject), toc);
  }
}

TEST(Toc, OfEqualContentsHasEqualBytes) {
  Random one(2), same(2);
  EXPECT_EQ(encode_toc(test::some_toc(one, 10)), encode_toc(test::some_toc(same, 10)));
}

TEST(Toc, AddsUpWhatIsStored) {
  Random random(3);
  const auto toc = test::some_toc(random, 5, true);
  std::uint64_t sum = 0;
  for (const auto& block : toc.blocks) sum += block.stored;
  EXPECT_EQ(stored_size(toc.blocks), sum);
}

// The toc without any check: what a hostile writer can make.
ByteBuffer unchecked(const Toc& toc, std::size_t tags_missing = 0, std::size_t ids_missing = 0, std::size_t roles_missing = 0) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<std::uint32_t> stored, plain, chunks, lengths;
  ByteBuffer roles, methods, tags, ids;
  for (const auto& block : toc.blocks) {
    stored.push_back(block.stored);
    plain.push_back(block.plain);
    chunks.push_back(block.chunks);
    roles.push_back(static_cast<std::uint8_t>(block.role));
    methods.push_back(static_cast<std::uint8_t>(block.method));
    append(tags, ByteView(block.tag));
  }
  for (const auto& chunk : toc.chunks) {
    append(ids, chunk.id.view());
    lengths.push_back(chunk.length);
  }
  tags.resize(tags.size() - tags_missing);
  ids.resize(ids.size() - ids_missing);
  roles.resize(roles.size() - roles_missing);
  builder.Finish(fb::CreateTocDirect(builder, &stored, &plain, &chunks, &roles, &methods, &tags, &ids, &lengths));
  return detail::take(builder);
}

template <class Change>
void expect_rejected(Change change, std::string_view what) {
  Random random(4);
  auto toc = test::some_toc(random, 4, true);
  toc.blocks[0].method = BlockMethod::raw;
  toc.blocks[0].stored = toc.blocks[0].plain;
  toc.blocks[1].method = BlockMethod::zstd;
  EXPECT_TRUE(test::decodes(unchecked(toc), decode_toc));
  change(toc);
  test::expect_corrupt(unchecked(toc), decode_toc, what);
  test::expect_refused([&] { static_cast<void>(encode_toc(toc)); }, what);
}

TEST(Toc, RejectsUnknownRolesAndMethods) {
  for (const int role : {0, 5, 254}) {
    expect_rejected([&](Toc& toc) { toc.blocks[0].role = static_cast<BlockRole>(role); }, "role");
  }
  expect_rejected([](Toc& toc) { toc.blocks[0].method = static_cast<BlockMethod>(2); }, "method");
}

TEST(Toc, RejectsBlocksOfImpossibleLengths) {
  expect_rejected([](Toc& toc) { toc.blocks[0].plain = 0; }, "impossible length");
  expect_rejected([](Toc& toc) { toc.blocks[0].plain = kLargestBlock + 1; }, "impossible length");
  expect_rejected([](Toc& toc) { --toc.blocks[0].stored; }, "lengths differ");
  expect_rejected([](Toc& toc) { toc.blocks[1].stored = kLargestStored + 1; }, "impossible");
  expect_rejected([](Toc& toc) { toc.blocks[1].stored = 0; }, "impossible");
}

TEST(Toc, RejectsChunksThatDoNotFillTheirBlock) {
  expect_rejected([](Toc& toc) { ++toc.chunks[0].length; }, "add up");
  expect_rejected([](Toc& toc) { toc.chunks[0].length = 0; }, "impossible length");
  expect_rejected([](Toc& toc) { toc.chunks[0].length = kLargestChunk + 1; }, "impossible length");
  expect_rejected([](Toc& toc) { toc.chunks[0].id = {}; }, "cannot exist");
  expect_rejected([](Toc& toc) { toc.chunks.pop_back(); }, "missing");
  expect_rejected([](Toc& toc) { toc.chunks.push_back(toc.chunks[0]); }, "in no block");
  expect_rejected([](Toc& toc) { toc.blocks[0].chunks = 0xffff'ffff; }, "missing");
}

TEST(Toc, RejectsPaddingThatHoldsSomethingOrIsNotTheLast) {
  expect_rejected([](Toc& toc) { toc.blocks[4].method = BlockMethod::zstd; }, "padding block that holds");
  expect_rejected(
      [](Toc& toc) {
        toc.blocks[4].chunks = 1;
        toc.chunks.push_back({toc.chunks[0].id, 100});
      },
      "padding block that holds");
  expect_rejected([](Toc& toc) { toc.blocks.push_back(toc.blocks[4]); }, "not the last");
}

TEST(Toc, RejectsMoreThanAPackCanHold) {
  Toc toc;
  BlockEntry block{kLargestBlock, kLargestBlock, 2, BlockRole::data, BlockMethod::raw, {}};
  ChunkId id;
  id.bytes.fill(1);
  for (int i = 0; i < 512; ++i) {
    toc.blocks.push_back(block);
    for (int half = 0; half < 2; ++half) toc.chunks.push_back({id, kLargestChunk});
  }
  test::expect_corrupt(unchecked(toc), decode_toc, "more than a pack can hold");
  toc.blocks.pop_back();
  toc.chunks.resize(toc.chunks.size() - 2);
  EXPECT_TRUE(test::decodes(unchecked(toc), decode_toc));
}

TEST(Toc, RejectsTooManyBlocks) {
  Toc toc;
  toc.blocks.assign(kMostBlocks + 1, {1, 1, 1, BlockRole::data, BlockMethod::raw, {}});
  ChunkId id;
  id.bytes.fill(1);
  toc.chunks.assign(kMostBlocks + 1, {id, 1});
  test::expect_corrupt(unchecked(toc), decode_toc, "too many blocks");
}

TEST(Toc, RejectsVectorsOfDifferentLengths) {
  Random random(5);
  const auto toc = test::some_toc(random, 3);
  test::expect_corrupt(unchecked(toc, 1), decode_toc, "block vectors");
  test::expect_corrupt(unchecked(toc, 0, 1), decode_toc, "chunk vectors");
  test::expect_corrupt(unchecked(toc, 0, 0, 1), decode_toc, "block vectors");
}

TEST(Toc, SurvivesTampering) {
  Random random(6);
  test::expect_survives_tampering(encode_toc(test::some_toc(random, 3, true)), decode_toc);
}

TEST(PackTrailer, RoundTripsAndRejects) {
  for (const std::uint32_t length : {80u, 144u, 80u + 64 * 1'000'000}) {
    EXPECT_EQ(decode_trailer(encode_trailer({length}), test::kSubject).toc_length, length);
  }
  const auto good = encode_trailer({80});
  EXPECT_EQ(as_text(good), std::string_view("\x50\0\0\0\0\0\0\0MBUPEND1", 16));
  for (const std::uint32_t length : {0u, 16u, 64u, 79u, 81u}) {
    test::expect_corrupt(encode_trailer({length}), decode_trailer, "impossible length");
  }
  auto bytes = good;
  bytes[5] = 1;
  test::expect_corrupt(bytes, decode_trailer, "must be zero");
  bytes = good;
  bytes[15] = '2';
  test::expect_corrupt(bytes, decode_trailer, "end like a pack");
  bytes = good;
  bytes.push_back(0);
  test::expect_corrupt(bytes, decode_trailer, "end like a pack");
  test::expect_survives_tampering(good, decode_trailer);
}

TEST(BlockAad, HasItsFieldsWhereTheFormatSays) {
  const BlockEntry block{9, 0x01020304, 1, BlockRole::page, BlockMethod::zstd, {}};
  const auto aad = block_aad(ByteBuffer(32, 'h'), 0x0a0b0c0d, block);
  EXPECT_EQ(as_text(aad), std::string(32, 'h') + std::string("\x0d\x0c\x0b\x0a\3\1\0\0\4\3\2\1", 12));
  EXPECT_EQ(as_text(block_nonce(0x0a0b0c0d)), std::string_view("\x0d\x0c\x0b\x0a\0\0\0\0\0\0\0\0", 12));
}

}  // namespace
}  // namespace mbu::format
