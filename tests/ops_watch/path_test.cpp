#include "ops/watch/path.hpp"

#include <gtest/gtest.h>

namespace mbu::ops {
namespace {

using Strings = std::vector<std::string>;

TEST(WatchPath, IsTidied) {
  EXPECT_EQ(tidy_path("//a///b/"), "/a/b");
  EXPECT_EQ(tidy_path("/"), "/");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "/");
}

TEST(WatchPath, IsWithinWholeNamesOnly) {
  EXPECT_TRUE(is_within("/a", "/a"));
  EXPECT_TRUE(is_within("/a/b", "/a"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/a-b", "/a"));
  EXPECT_FALSE(is_within("/", "/a"));
}

TEST(WatchPath, ErasesWhatIsBelow) {
  const std::set<std::string> all{"/", "/a", "/a-b", "/a/c", "/a/c/d", "/a0", "/b"};
  const auto without = [&](const std::string& path, Reach reach) {
    auto rest = all;
    Strings erased;
    erase_within(rest, path, reach, [&](auto at) { erased.push_back(*at); });
    EXPECT_EQ(rest.size() + erased.size(), all.size());
    return Strings(rest.begin(), rest.end());
  };
  EXPECT_EQ(without("/a", Reach::self_and_below), (Strings{"/", "/a-b", "/a0", "/b"}));
  EXPECT_EQ(without("/a", Reach::below), (Strings{"/", "/a", "/a-b", "/a0", "/b"}));
  EXPECT_EQ(without("/", Reach::below), Strings{"/"});
  EXPECT_EQ(without("/", Reach::self_and_below), Strings{});
  EXPECT_EQ(without("/c", Reach::self_and_below).size(), all.size());
}

TEST(WatchedPaths, LeaveOutWhatAnotherHolds) {
  const WatchedPaths paths({"/a/b/", "/a/b/c", "/a/b-c", "/x"});
  EXPECT_EQ(Strings(paths.all().begin(), paths.all().end()), (Strings{"/a/b", "/a/b-c", "/x"}));
  EXPECT_EQ(*paths.around("/a/b/c/d"), "/a/b");
  EXPECT_EQ(paths.around("/a"), nullptr);
  EXPECT_EQ(paths.within("/a"), (Strings{"/a/b", "/a/b-c"}));
}

TEST(WatchedPaths, KnowTheWayToThem) {
  const WatchedPaths paths({"/a/b/c", "/x"});
  EXPECT_EQ(WatchedPaths::way_to("/a/b/c"), (Strings{"/", "/a", "/a/b"}));
  EXPECT_EQ(WatchedPaths::way_to("/"), Strings{});
  EXPECT_TRUE(paths.is_above("/"));
  EXPECT_TRUE(paths.is_above("/a/b"));
  EXPECT_FALSE(paths.is_above("/a/b/c"));
  EXPECT_TRUE(paths.is_step("/", "a"));
  EXPECT_TRUE(paths.is_step("/", "x"));
  EXPECT_TRUE(paths.is_step("/a/b", "c"));
  EXPECT_FALSE(paths.is_step("/a/b", "d"));
  EXPECT_FALSE(paths.is_step("/x", "c"));
}

}  // namespace
}  // namespace mbu::ops
