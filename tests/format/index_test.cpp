#include "format/index.hpp"

#include "format/header.hpp"
#include "tocs.hpp"

namespace mbu::format {
namespace {

using test::Random;

ByteBuffer some_pack_header(Random& random) {
  ObjectHeader header;
  header.kind = ObjectKind::pack;
  header.repository = random.id<RepositoryId>();
  header.domain = random.id<DomainId>();
  header.random = random.array<32>();
  header.commitment = random.array<32>();
  header.sealed_key = random.bytes(kSealedKeySize);
  return encode_header(header);
}

IndexedPack some_pack(Random& random) {
  DescribedPack pack;
  pack.name = random.id<ObjectName>();
  pack.header = some_pack_header(random);
  pack.writer = random.id<PublicKey>();
  pack.toc = test::some_toc(random, 1 + random.below(5), random.coin());
  pack.size = pack.header.size() + stored_size(pack.toc.blocks) + 64 * (1 + random.below(5)) + 16 + 64 + 16;
  return indexed(pack);
}

Index some_index(Random& random, std::size_t packs) {
  Index index;
  for (; packs > 0; --packs) index.packs.push_back(some_pack(random));
  index.supersedes = random.ids<ObjectName>(4);
  return index;
}

TEST(Index, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    const auto index = some_index(random, random.below(8));
    EXPECT_EQ(decode_index(encode_index(index), test::kSubject), index);
  }
}

template <class Change>
void expect_rejected(Change change, std::string_view what) {
  Random random(2);
  auto index = some_index(random, 3);
  change(index.packs[1]);
  test::expect_corrupt(encode_index(index), decode_index, what);
}

TEST(Index, RejectsSizesThatThePartsCannotMakeUp) {
  expect_rejected([](IndexedPack& pack) { ++pack.size; }, "add up to its size");
  expect_rejected([](IndexedPack& pack) { pack.size = 0; }, "add up to its size");
  expect_rejected([](IndexedPack& pack) { pack.size -= 64 * 6; }, "add up to its size");
  expect_rejected([](IndexedPack& pack) { pack.size += std::uint64_t{1} << 32; }, "add up to its size");
  expect_rejected([](IndexedPack& pack) { pack.size = ~0ull; }, "add up to its size");
}

TEST(Index, RejectsHeadersThatAreNoPacks) {
  expect_rejected([](IndexedPack& pack) { pack.header.pop_back(); }, "header of the wrong length");
  expect_rejected([](IndexedPack& pack) { pack.header.clear(); }, "header of the wrong length");
  expect_rejected([](IndexedPack& pack) { pack.header[3] = 'S'; }, "kind");
  expect_rejected([](IndexedPack& pack) { pack.header[60] = 2; }, "key mode");
}

TEST(Index, RefusesATocThatNobodyWouldRead) {
  Random random(3);
  auto index = some_index(random, 2);
  index.packs[0].toc.blocks[0].plain = 0;
  test::expect_refused([&] { static_cast<void>(encode_index(index)); }, "impossible length");
}

TEST(Index, SurvivesTampering) {
  Random random(4);
  test::expect_survives_tampering(encode_index(some_index(random, 1)), decode_index);
}

}  // namespace
}  // namespace mbu::format
