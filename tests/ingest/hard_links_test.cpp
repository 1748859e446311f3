#include "ingest/hard_links.hpp"

#include <gtest/gtest.h>

namespace mbu::ingest {
namespace {

os::FileStatus file(std::uint64_t inode, std::uint32_t names, std::int64_t change) {
  os::FileStatus status;
  status.dev = 1;
  status.ino = inode;
  status.nlink = names;
  status.ctime = {change, 0};
  return status;
}

bool is_stale(const Dirty& dirty, std::string_view name) {
  const auto* node = dirty.root().child(name);
  return node != nullptr && node->entries;
}

TEST(HardLinks, FindTheOtherNamesOfWhatChanged) {
  HardLinks links;
  for (const auto* directory : {"/a", "/b", "/c"}) links.seen(directory, file(7, 3, 1), true, true);
  links.seen("/b", file(8, 2, 1), true, true);
  EXPECT_TRUE(links.take_stale().empty());
  links.seen("/a", file(7, 3, 2), true, false);
  const auto stale = links.take_stale();
  EXPECT_TRUE(is_stale(stale, "b"));
  EXPECT_TRUE(is_stale(stale, "c"));
  EXPECT_FALSE(is_stale(stale, "a"));
  // The others, listed for this, do not send anybody back.
  links.seen("/b", file(7, 3, 2), true, false);
  links.seen("/a", file(7, 3, 2), true, false);
  EXPECT_TRUE(links.take_stale().empty());
}

TEST(HardLinks, NoticeAChangeInTheMiddleOfAComparisonOfEverything) {
  HardLinks links;
  links.seen("/b", file(7, 2, 1), true, true);
  links.seen("/a", file(7, 2, 2), true, true);
  EXPECT_TRUE(is_stale(links.take_stale(), "b"));
}

TEST(HardLinks, AreSilentAboutWhatIsAsItWas) {
  HardLinks links;
  for (const auto* directory : {"/a", "/b"}) links.seen(directory, file(7, 2, 1), true, true);
  links.seen("/a", file(7, 2, 1), false, false);
  EXPECT_TRUE(links.take_stale().empty());
}

TEST(HardLinks, LookEverywhereForANameThatNobodyKnows) {
  HardLinks links;
  links.seen("/a", file(7, 2, 1), true, false);
  EXPECT_TRUE(links.take_stale().is_everything());
  // Then all names have been looked for: those outside are not looked for again.
  links.seen("/a", file(7, 2, 1), false, true);
  links.seen("/a", file(7, 2, 2), true, false);
  EXPECT_TRUE(links.take_stale().empty());
  links.seen("/a", file(7, 3, 3), true, false);
  EXPECT_TRUE(links.take_stale().is_everything());
}

TEST(HardLinks, RememberNoMoreThanTheyMay) {
  HardLinks links;
  for (std::uint64_t i = 0; i <= HardLinks::kMost; ++i) links.seen("/a", file(i, 2, 1), true, true);
  links.seen("/a", file(HardLinks::kMost, 2, 2), false, false);
  EXPECT_TRUE(links.take_stale().empty());
  links.seen("/a", file(HardLinks::kMost, 2, 2), true, false);
  EXPECT_TRUE(links.take_stale().is_everything());
}

}  // namespace
}  // namespace mbu::ingest
