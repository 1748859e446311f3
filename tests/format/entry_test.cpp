#include "format/entry.hpp"

#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

TEST(EntryName, MayBeAnyBytesButFew) {
  EXPECT_TRUE(is_valid_name("a"));
  EXPECT_TRUE(is_valid_name("..."));
  EXPECT_TRUE(is_valid_name(".a"));
  EXPECT_TRUE(is_valid_name("\n\xff\\"));
  EXPECT_TRUE(is_valid_name(std::string(4095, 'x')));
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_FALSE(is_valid_name("."));
  EXPECT_FALSE(is_valid_name(".."));
  EXPECT_FALSE(is_valid_name("a/b"));
  EXPECT_FALSE(is_valid_name(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_valid_name(std::string(4096, 'x')));
}

void expect_bad_map(const ByteBuffer& encoded, std::uint64_t size, std::string_view what) {
  try {
    static_cast<void>(decode_sparse_map(encoded, size));
    ADD_FAILURE() << "was accepted; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::corrupt);
    EXPECT_NE(error.happened().find(what), std::string::npos) << error.what();
  }
}

TEST(SparseMap, IsPairsOfHoleAndData) {
  const std::vector<DataRun> runs{{0, 5}, {200, 300}};
  const ByteBuffer encoded{0, 5, 0xc3, 0x01, 0xac, 0x02};
  EXPECT_EQ(encode_sparse_map(runs), encoded);
  EXPECT_EQ(decode_sparse_map(encoded, 500), runs);
  EXPECT_EQ(decode_sparse_map(encoded, 10'000), runs);
}

TEST(SparseMap, OfOneHoleIsEmpty) {
  EXPECT_TRUE(encode_sparse_map({}).empty());
  EXPECT_TRUE(decode_sparse_map({}, 1000).empty());
}

TEST(SparseMap, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 1000; ++round) {
    std::vector<DataRun> runs;
    std::uint64_t at = random.coin() ? 0 : random.below(1'000'000);
    for (std::uint64_t i = random.below(20); i > 0; --i) {
      const std::uint64_t length = 1 + (random.number() >> (8 + random.below(50)));
      if (at > 0x7000'0000'0000'0000 - length) break;
      runs.push_back({at, length});
      at += length + 1 + (random.number() >> (8 + random.below(50)));
    }
    const auto encoded = encode_sparse_map(runs);
    const std::uint64_t end = runs.empty() ? 0 : runs.back().offset + runs.back().length;
    EXPECT_EQ(decode_sparse_map(encoded, end), runs);
    if (end != 0) expect_bad_map(encoded, end - 1, "beyond the file's end");
  }
}

TEST(SparseMap, ReachesTheLargestFile) {
  const std::vector<DataRun> runs{{kLargestFile - 1, 1}};
  EXPECT_EQ(decode_sparse_map(encode_sparse_map(runs), kLargestFile), runs);
}

TEST(SparseMap, RejectsWhatIsNotWellFormed) {
  expect_bad_map({0}, 100, "not well formed");
  expect_bad_map({0x80}, 100, "not well formed");
  expect_bad_map({0, 0x80}, 100, "not well formed");
  expect_bad_map({0x80, 0x00, 1}, 100, "not well formed");  // longer than it must be
  expect_bad_map({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, ~0ull, "not well formed");
  expect_bad_map({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, ~0ull, "not well formed");
}

TEST(SparseMap, RejectsEmptyRuns) {
  expect_bad_map({5, 0}, 100, "empty run");
  expect_bad_map({0, 5, 0, 5}, 100, "empty run");
}

TEST(SparseMap, RejectsSumsThatOverflow) {
  ByteBuffer map{1, 1};
  for (int i = 0; i < 2; ++i) map.insert(map.end(), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
  expect_bad_map(map, ~0ull, "beyond the file's end");
}

TEST(SparseMap, RefusesRunsThatTouch) {
  test::expect_refused([] { static_cast<void>(encode_sparse_map({{0, 5}, {5, 5}})); }, "do not follow");
  test::expect_refused([] { static_cast<void>(encode_sparse_map({{10, 5}, {3, 5}})); }, "do not follow");
  test::expect_refused([] { static_cast<void>(encode_sparse_map({{10, 0}})); }, "do not follow");
  test::expect_refused([] { static_cast<void>(encode_sparse_map({{kLargestFile, 1}})); }, "do not follow");
}

}  // namespace
}  // namespace mbu::format
