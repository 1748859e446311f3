#include "chunk/chunker.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "../support/random.hpp"

namespace mbu::chunk {
namespace {

using test::Random;

GearTable gear(std::uint64_t seed) {
  Random random(seed);
  return GearTable::from(random.bytes(2048));
}

// Small chunks, so that a little data has many.
constexpr Parameters kSmall{256, 1024, 8192};

// The offsets at which the chunks of `data` end. The chunker sees `window` bytes at a time, at least its maximum.
std::vector<std::size_t> ends_of(ByteView data, const Chunker& chunker, std::size_t window) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < data.size();) {
    const auto seen = data.subspan(at, std::min(window, data.size() - at));
    at += chunker.cut(seen, at + seen.size() == data.size());
    ends.push_back(at);
  }
  return ends;
}

std::vector<std::size_t> ends_of(ByteView data, const Chunker& chunker) { return ends_of(data, chunker, data.size()); }

TEST(GearTable, IsLittleEndian) {
  ByteBuffer bytes(2048);
  bytes[8] = 1;
  bytes[9] = 2;
  bytes[2047] = 0x80;
  const auto table = GearTable::from(bytes);
  EXPECT_EQ(table.values[0], 0u);
  EXPECT_EQ(table.values[1], 0x0201u);
  EXPECT_EQ(table.values[255], 0x8000'0000'0000'0000u);
}

TEST(Chunker, CutsEqualDataEqually) {
  Random random(1);
  const auto data = random.bytes(1'000'000);
  const auto one = gear(2), same = gear(2);
  EXPECT_EQ(ends_of(data, Chunker(one, kSmall)), ends_of(data, Chunker(same, kSmall)));
}

TEST(Chunker, CutsTheSameWhateverItSeesBehindTheMaximum) {
  Random random(3);
  const auto data = random.bytes(500'000);
  const auto table = gear(4);
  const Chunker chunker(table, kSmall);
  const auto whole = ends_of(data, chunker);
  for (const std::size_t window : {8192u, 8193u, 10'000u, 65'536u}) EXPECT_EQ(ends_of(data, chunker, window), whole);
}

// What does not look random, however it was made.
ByteBuffer plain_bytes(Random& random, std::size_t size) {
  auto bytes = random.bytes(size);
  for (auto& byte : bytes) byte &= 0x7f;
  return bytes;
}

// The rule as papers have it: one hash after the other.
std::size_t plain_cut(ByteView data, const GearTable& table, const Parameters& parameters) {
  const int bits = std::bit_width(parameters.normal) - 1;
  std::uint64_t hash = 0;
  for (std::size_t i = parameters.minimum; i < std::min<std::size_t>(data.size(), parameters.maximum); ++i) {
    hash = hash * 2 + table.values[data[i]];
    if (hash >> (64 - bits - (i < parameters.normal ? 2 : -2)) == 0) return i + 1;
  }
  return std::min<std::size_t>(data.size(), parameters.maximum);
}

TEST(Chunker, CutsWhereOneHashAfterTheOtherWould) {
  Random random(21);
  const auto table = gear(22);
  auto plain = plain_bytes(random, 3'000'000);
  std::fill(plain.begin() + 1'000'000, plain.begin() + 1'300'000, std::uint8_t{0});
  const auto noise = random.bytes(3'000'000);
  for (const Parameters& parameters : {Parameters{}, Parameters{64, 8192, 65'536}, Parameters{64, 65'536, 65'536},
                                       Parameters{5000, 16'384, 100'000}, Parameters{8192, 8192, 40'000}}) {
    const Chunker chunker(table, parameters);
    for (const auto& [data, expected] : {std::pair(ByteView(plain), parameters), std::pair(ByteView(noise), parameters.coarse())}) {
      for (std::size_t at = 0; at < data.size();) {
        const auto rest = data.subspan(at);
        const auto length = chunker.cut(rest, true);
        const auto& as = rest.size() < parameters.coarse().minimum ? parameters : expected;
        ASSERT_EQ(length, plain_cut(rest, table, as)) << "at " << at << ", normal " << as.normal;
        at += length;
      }
    }
  }
}

TEST(Chunker, CutsTheSameHoweverMuchItSeesAtOnce) {
  Random random(23);
  const auto table = gear(24);
  const Chunker chunker(table, {});
  ByteBuffer data = random.bytes(2'000'000);
  append(data, plain_bytes(random, 1'000'000));
  append(data, random.bytes(1'500'000));
  const auto whole = ends_of(data, chunker);
  for (const std::size_t window : {448u * 1024, 448u * 1024 + 1, 1'000'000u}) EXPECT_EQ(ends_of(data, chunker, window), whole) << window;
}

TEST(Chunker, AsksForMoreWhereTheClassOrTheCutIsNotCertain) {
  Random random(25);
  const auto table = gear(26);
  const Chunker chunker(table, {});
  for (const auto& data : {random.bytes(448 * 1024), plain_bytes(random, 448 * 1024)}) {
    const auto length = chunker.cut(data, false);
    ASSERT_GT(length, 0u);
    for (const std::size_t seen : {1u, 1000u, 256u * 1024 - 1, 256u * 1024, 300'000u, 400'000u}) {
      const auto early = chunker.cut(ByteView(data).first(seen), false);
      EXPECT_TRUE(early == 0 || early == length) << seen;
      if (seen < length) {
        EXPECT_EQ(early, 0u) << seen;
      }
    }
  }
}

TEST(Chunker, CutsWhatLooksRandomCoarsely) {
  Random random(27);
  const auto table = gear(28);
  const Chunker chunker(table, {});
  const auto data = random.bytes(16'000'000);
  const auto ends = ends_of(data, chunker);
  EXPECT_GT(data.size() / ends.size(), 320u * 1024);
  EXPECT_LT(data.size() / ends.size(), 420u * 1024);
  EXPECT_LE(*std::ranges::max_element(ends), data.size());
}

TEST(Chunker, KeepsItsBounds) {
  Random random(5);
  const auto data = random.bytes(2'000'000);
  const auto table = gear(6);
  std::size_t before = 0;
  const auto ends = ends_of(data, Chunker(table, kSmall));
  for (const auto end : ends) {
    if (end != data.size()) {
      EXPECT_GE(end - before, kSmall.minimum);
    }
    EXPECT_LE(end - before, kSmall.maximum);
    before = end;
  }
  EXPECT_EQ(ends.back(), data.size());
}

TEST(Chunker, GivesShortDataWhole) {
  const auto table = gear(7);
  const Chunker chunker(table, kSmall);
  EXPECT_EQ(chunker.cut({}, true), 0u);
  for (const std::size_t size : {1u, 255u, 256u}) EXPECT_EQ(chunker.cut(ByteBuffer(size), true), size);
}

TEST(Chunker, CutsDataWithoutAnyCutPointAtTheMaximum) {
  GearTable odd;
  odd.values.fill((std::uint64_t{1} << 63) + 1);  // the hash is never zero in its upper bits
  EXPECT_EQ(Chunker(odd, kSmall).cut(ByteBuffer(100'000), false), kSmall.maximum);
}

TEST(Chunker, HasTheAverageThatWasAskedFor) {
  Random random(8);
  const auto data = plain_bytes(random, 16'000'000);
  const auto table = gear(9);
  const auto count = ends_of(data, Chunker(table, Parameters{}), 1'000'000).size();
  const auto average = static_cast<double>(data.size()) / static_cast<double>(count);
  // FastCDC's mean lies a little above `normal`: the minimum is skipped before any cut is looked for.
  EXPECT_GT(average, 0.9 * 64 * 1024);
  EXPECT_LT(average, 1.5 * 64 * 1024);
}

TEST(Chunker, CutsElsewhereUnderAnotherKey) {
  Random random(10);
  const auto data = random.bytes(1'000'000);
  const auto one = gear(11), other = gear(12);
  const auto a = ends_of(data, Chunker(one, kSmall));
  const auto b = ends_of(data, Chunker(other, kSmall));
  const std::set<std::size_t> first(a.begin(), a.end());
  std::size_t common = 0;
  for (const auto end : b) common += first.count(end);
  EXPECT_LT(common, a.size() / 20);
}

// How many chunks of `changed` are not among those of `data`.
std::size_t new_chunks(ByteView data, ByteView changed, const Chunker& chunker) {
  const auto pieces = [&](ByteView bytes) {
    std::vector<std::string> all;
    std::size_t before = 0;
    for (const auto end : ends_of(bytes, chunker)) {
      all.emplace_back(as_text(bytes.subspan(before, end - before)));
      before = end;
    }
    return all;
  };
  const auto old = pieces(data);
  const std::set<std::string> known(old.begin(), old.end());
  std::size_t fresh = 0;
  for (const auto& piece : pieces(changed)) fresh += known.contains(piece) ? 0 : 1;
  return fresh;
}

TEST(Chunker, FindsItsCutsAgainAmongCoarseChunks) {
  Random random(29);
  const auto data = random.bytes(20'000'000);
  const auto table = gear(30);
  const Chunker chunker(table, {});
  for (const std::size_t size : {1u, 100u, 20'000u}) {
    auto changed = data;
    const auto inserted = random.bytes(size);
    changed.insert(changed.begin() + 7'000'000, inserted.begin(), inserted.end());
    EXPECT_LE(new_chunks(data, changed, chunker), 6u) << size;
  }
  std::size_t fresh = 0;
  for (int round = 0; round < 20; ++round) {
    auto changed = data;
    changed[random.below(changed.size())] ^= 0xff;
    fresh += new_chunks(data, changed, chunker);
  }
  EXPECT_LE(fresh, 22u);  // a chunk each
}

TEST(Chunker, FindsItsCutsAgainBehindAnInsertion) {
  Random random(13);
  const auto data = random.bytes(1'000'000);
  const auto table = gear(14);
  const Chunker chunker(table, kSmall);
  for (const std::size_t at : {0u, 1u, 500'000u, 999'999u}) {
    for (const std::size_t size : {1u, 100u, 5000u}) {
      auto changed = data;
      const auto inserted = random.bytes(size);
      changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), inserted.begin(), inserted.end());
      EXPECT_LE(new_chunks(data, changed, chunker), 12 + size / 256) << at << ' ' << size;
    }
  }
}

TEST(Chunker, FindsItsCutsAgainBehindADeletion) {
  Random random(15);
  const auto data = random.bytes(1'000'000);
  const auto table = gear(16);
  auto changed = data;
  changed.erase(changed.begin() + 300'000, changed.begin() + 300'777);
  EXPECT_LE(new_chunks(data, changed, Chunker(table, kSmall)), 12u);
}

TEST(Chunker, ChangesLittleForOneByte) {
  Random random(17);
  const auto data = random.bytes(1'000'000);
  const auto table = gear(18);
  for (int round = 0; round < 20; ++round) {
    auto changed = data;
    changed[random.below(changed.size())] ^= 0xff;
    EXPECT_LE(new_chunks(data, changed, Chunker(table, kSmall)), 12u);
  }
}

}  // namespace
}  // namespace mbu::chunk
