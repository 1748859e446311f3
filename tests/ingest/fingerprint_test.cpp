#include "ingest/fingerprint.hpp"

#include <gtest/gtest.h>

namespace mbu::ingest {
namespace {

constexpr std::array<std::uint8_t, 16> kKey{1};
constexpr FileTime kNow{1000, 500'000'000};

source::Item some_item() {
  source::Item item;
  item.name = "name";
  item.status.type = EntryType::regular;
  item.status.size = 100;
  item.status.ino = 7;
  item.status.nlink = 1;
  item.status.mtime = {900, 1};
  item.status.ctime = {900, 2};
  return item;
}

TEST(Fingerprint, IsTheSameForTheSame) {
  EXPECT_EQ(fingerprint(some_item(), kNow, kKey), fingerprint(some_item(), {2000, 0}, kKey));
  EXPECT_NE(fingerprint(some_item(), kNow, kKey), 0u);
  EXPECT_NE(fingerprint(some_item(), kNow, kKey), fingerprint(some_item(), kNow, {}));
}

TEST(Fingerprint, ChangesWithEverythingThatStatSays) {
  const auto before = fingerprint(some_item(), kNow, kKey);
  const auto changed = [&](auto change) {
    auto item = some_item();
    change(item);
    EXPECT_NE(fingerprint(item, kNow, kKey), before);
  };
  changed([](source::Item& item) { item.name = "other"; });
  changed([](source::Item& item) { item.status.type = EntryType::fifo; });
  changed([](source::Item& item) { item.status.mode = 0600; });
  changed([](source::Item& item) { item.status.uid = 1; });
  changed([](source::Item& item) { item.status.gid = 1; });
  changed([](source::Item& item) { item.status.size = 101; });
  changed([](source::Item& item) { item.status.ino = 8; });
  changed([](source::Item& item) { item.status.mtime.nanoseconds = 2; });
  changed([](source::Item& item) { item.status.ctime.nanoseconds = 3; });
  changed([](source::Item& item) { item.status.ctime.seconds = 901; });
  changed([](source::Item& item) { item.status.nlink = 2; });
}

TEST(Fingerprint, IsNoneWithinTheGrainOfTheClock) {
  auto item = some_item();
  for (const std::uint32_t before : {0u, 1u, 19'999'999u}) {
    item.status.ctime = {kNow.seconds, kNow.nanoseconds - before};
    EXPECT_EQ(fingerprint(item, kNow, kKey), 0u) << before;
  }
  item.status.ctime = {kNow.seconds, kNow.nanoseconds - 20'000'000};
  EXPECT_NE(fingerprint(item, kNow, kKey), 0u);
  item.status.ctime = {kNow.seconds + 5, 0};  // from a clock that was set back
  EXPECT_EQ(fingerprint(item, kNow, kKey), 0u);
}

TEST(Fingerprint, IsNoneForTwoSecondsWhereTimesAreWholeSeconds) {
  auto item = some_item();
  for (const std::int64_t before : {0, 1}) {
    item.status.ctime = {kNow.seconds - before, 0};
    EXPECT_EQ(fingerprint(item, kNow, kKey), 0u) << before;
  }
  EXPECT_EQ(fingerprint(item, {kNow.seconds + 1, 19'999'999}, kKey), 0u);
  EXPECT_NE(fingerprint(item, {kNow.seconds + 1, 20'000'000}, kKey), 0u);
  item.status.ctime = {kNow.seconds - 1, 1};
  EXPECT_NE(fingerprint(item, kNow, kKey), 0u);
}

TEST(Fingerprint, OfADirectoryNeedsAllOfItsEntries) {
  const auto key = crypto::key_from(ByteBuffer(32, 1));
  EXPECT_NE(fingerprint({1, 2}, key), (crypto::Digest{}));
  EXPECT_NE(fingerprint({1, 2}, key), fingerprint({2, 1}, key));
  EXPECT_EQ(fingerprint({1, 0}, key), (crypto::Digest{}));
  EXPECT_NE(fingerprint(std::vector<std::uint64_t>{}, key), (crypto::Digest{}));
}

}  // namespace
}  // namespace mbu::ingest
