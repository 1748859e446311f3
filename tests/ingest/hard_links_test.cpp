#include "ingest/hard_links.hpp"

#include <gtest/gtest.h>

namespace mbu::ingest {
namespace {

enum class Look { some, everything };

HardLinks::Name file(std::uint64_t inode, std::uint32_t names, std::int64_t change, bool changed = true) {
  return {.file = {1, inode}, .names = names, .change = {change, 0}, .changed = changed};
}

// What a listing of `directory` comes upon; all directories that it was ever seen to hold are still there.
void list(HardLinks& links, const std::string& directory, std::vector<HardLinks::Name> names, Look look = Look::some) {
  HardLinks::Listing listing;
  listing.directory = directory;
  listing.names = std::move(names);
  listing.holds_directory = [](std::string_view) { return true; };
  listing.everything = look == Look::everything;
  links.listed(listing);
}

// The same, of one that holds no file of several names and just these directories.
void list_directories(HardLinks& links, const std::string& directory, const std::set<std::string, std::less<>>& held) {
  HardLinks::Listing listing;
  listing.directory = directory;
  listing.holds_directory = [&held](std::string_view name) { return held.contains(name); };
  links.listed(listing);
}

bool is_stale(const Dirty& dirty, std::string_view name) {
  const auto* node = dirty.root().child(name);
  return node != nullptr && node->entries;
}

TEST(HardLinks, FindTheOtherNamesOfWhatChanged) {
  HardLinks links;
  list(links, "/a", {file(7, 3, 1)}, Look::everything);
  list(links, "/b", {file(7, 3, 1), file(8, 2, 1)}, Look::everything);
  list(links, "/c", {file(7, 3, 1)}, Look::everything);
  EXPECT_TRUE(links.take_stale().empty());
  list(links, "/a", {file(7, 3, 2)});
  const auto stale = links.take_stale();
  EXPECT_TRUE(is_stale(stale, "b"));
  EXPECT_TRUE(is_stale(stale, "c"));
  EXPECT_FALSE(is_stale(stale, "a"));
  // The others, listed for this, do not send anybody back.
  list(links, "/b", {file(7, 3, 2), file(8, 2, 1)});
  list(links, "/a", {file(7, 3, 2)});
  EXPECT_TRUE(links.take_stale().empty());
}

TEST(HardLinks, NoticeAChangeInTheMiddleOfAComparisonOfEverything) {
  HardLinks links;
  list(links, "/b", {file(7, 2, 1)}, Look::everything);
  list(links, "/a", {file(7, 2, 2)}, Look::everything);
  EXPECT_TRUE(is_stale(links.take_stale(), "b"));
}

TEST(HardLinks, AreSilentAboutWhatIsAsItWas) {
  HardLinks links;
  for (const auto* directory : {"/a", "/b"}) list(links, directory, {file(7, 2, 1)}, Look::everything);
  list(links, "/a", {file(7, 2, 1, false)});
  EXPECT_TRUE(links.take_stale().empty());
}

TEST(HardLinks, LookEverywhereForANameThatNobodyKnows) {
  HardLinks links;
  list(links, "/a", {file(7, 2, 1)});
  EXPECT_TRUE(links.take_stale().is_everything());
  // Then all names have been looked for: those outside are not looked for again.
  list(links, "/a", {file(7, 2, 1, false)}, Look::everything);
  list(links, "/a", {file(7, 2, 2)});
  EXPECT_TRUE(links.take_stale().empty());
  list(links, "/a", {file(7, 3, 3)});
  EXPECT_TRUE(links.take_stale().is_everything());
}

// The change was told for the directory of the name that is gone.
TEST(HardLinks, FindTheOtherNamesOfOneThatIsGone) {
  HardLinks links;
  for (const auto* directory : {"/a", "/b", "/c"}) list(links, directory, {file(7, 3, 1)}, Look::everything);
  list(links, "/b", {});
  const auto stale = links.take_stale();
  EXPECT_TRUE(is_stale(stale, "a") && is_stale(stale, "c"));
  EXPECT_FALSE(is_stale(stale, "b"));
  list(links, "/b", {});
  EXPECT_TRUE(links.take_stale().empty());
  // It is no name of the file any more.
  list(links, "/a", {file(7, 2, 2)});
  EXPECT_FALSE(is_stale(links.take_stale(), "b"));
}

TEST(HardLinks, FindTheOtherNamesOfThoseBelowADirectoryThatIsGone) {
  HardLinks links;
  for (const auto* directory : {"/a", "/d/b", "/d/b/e", "/d/b-c"}) list(links, directory, {file(7, 4, 1)}, Look::everything);
  list(links, "/other", {file(8, 2, 1)}, Look::everything);
  list_directories(links, "/d", {"b", "b-c"});
  EXPECT_TRUE(links.take_stale().empty());
  list_directories(links, "/d", {"b-c"});
  const auto stale = links.take_stale();
  EXPECT_TRUE(is_stale(stale, "a"));
  ASSERT_NE(stale.root().child("d"), nullptr);
  EXPECT_NE(stale.root().child("d")->child("b-c"), nullptr);
  EXPECT_EQ(stale.root().child("d")->child("b"), nullptr);
  EXPECT_FALSE(is_stale(stale, "other"));
  list_directories(links, "/", {});
  EXPECT_TRUE(links.take_stale().empty());
}

TEST(HardLinks, RememberNoMoreNamesThanTheyMay) {
  HardLinks links;
  std::vector<HardLinks::Name> all;
  for (std::uint64_t i = 0; i < HardLinks::kMost / 2; ++i) all.push_back(file(i, 2, 1));
  for (const auto* directory : {"/a", "/b"}) list(links, directory, all, Look::everything);
  const std::uint64_t beyond = HardLinks::kMost;
  for (const auto* directory : {"/c", "/d"}) list(links, directory, {file(beyond, 2, 1), file(0, 3, 1)}, Look::everything);
  EXPECT_TRUE(links.take_stale().empty());
  list(links, "/c", {file(beyond, 2, 2, false)});
  EXPECT_TRUE(links.take_stale().empty());
  list(links, "/c", {file(beyond, 2, 2)});
  EXPECT_TRUE(links.take_stale().is_everything());
  // One whose other names were remembered.
  list(links, "/c", {file(0, 3, 2)});
  EXPECT_TRUE(links.take_stale().is_everything());
  // What goes away makes room.
  list(links, "/a", {});
  static_cast<void>(links.take_stale());
  for (const auto* directory : {"/c", "/d"}) list(links, directory, {file(beyond, 2, 3)}, Look::everything);
  list(links, "/c", {file(beyond, 2, 4)});
  const auto stale = links.take_stale();
  EXPECT_FALSE(stale.is_everything());
  EXPECT_TRUE(is_stale(stale, "d"));
}

}  // namespace
}  // namespace mbu::ingest
