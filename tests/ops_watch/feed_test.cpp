// What every feed that the kernel tells must tell.
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>

#include "../support/expect.hpp"
#include "os/file.hpp"
#include "told.hpp"

namespace mbu::ops {
namespace {

class FeedTest : public testing::TestWithParam<FeedKind>, public WatchedTree {
 protected:
  void SetUp() override {
    try {
      static_cast<void>(open_feed(GetParam(), request()));
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  void watch() { watch(request()); }
  void watch(FeedRequest request) {
    feed_ = open_feed(GetParam(), std::move(request));
    EXPECT_TRUE(Told(*feed_).empty());
  }
  Told told() { return Told(*feed_); }

  // What is written into a directory is told as a change of that directory only.
  void expect_seen_in(const std::string& directory) {
    SCOPED_TRACE(directory);
    write(directory + "/new");
    EXPECT_TRUE(is_readable(*feed_));
    const auto after = told();
    EXPECT_TRUE(after.lists(directory));
    EXPECT_FALSE(after.walks(directory));
  }
  // It is told of nothing. A fanotify of whole file systems may wake up to find that; inotify may by what other tests mount, or make in the
  // directories on the way: until they pause.
  void expect_unseen_in(const std::string& directory) {
    SCOPED_TRACE(directory);
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    bool woken = true;
    while (woken && std::chrono::steady_clock::now() < patience) {
      write(directory + "/new");
      woken = is_readable(*feed_);
      EXPECT_TRUE(told().empty());
      if (feed_->name() == "fanotify") return;
    }
    EXPECT_FALSE(woken);
  }

  std::unique_ptr<Feed> feed_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, FeedTest, testing::Values(FeedKind::inotify, FeedKind::fanotify),
                         [](const auto& kind) { return kind.param == FeedKind::inotify ? "inotify" : "fanotify"; });

TEST_P(FeedTest, TellsNothingWhenNothingHappens) {
  make(at("a/b"));
  write(at("a/file"));
  watch();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree())) {
    if (entry.is_regular_file()) mbu::test::read_whole(entry.path());
  }
  EXPECT_TRUE(told().empty());
  EXPECT_FALSE(feed_->due());
}

TEST_P(FeedTest, TellsOfFiles) {
  make(at("a/b"));
  make(at("c"));
  write(at("a/b/old"));
  write(at("a/b/gone"));
  watch();
  const auto expect_only_b = [&](const char* what) {
    SCOPED_TRACE(what);
    EXPECT_TRUE(is_readable(*feed_));
    const auto now = told();
    EXPECT_TRUE(now.lists(at("a/b")));
    EXPECT_FALSE(now.walks(at("a/b")));
    EXPECT_FALSE(now.lists(at("c")) || now.lists(tree()));
  };
  write(at("a/b/old"));
  expect_only_b("written");
  write(at("a/b/new"));
  expect_only_b("created");
  remove(at("a/b/gone"));
  expect_only_b("deleted");
  move(at("a/b/old"), at("a/b/older"));
  expect_only_b("renamed");
  ASSERT_EQ(::chmod(at("a/b/new").c_str(), 0600), 0);
  expect_only_b("chmod");
  std::filesystem::create_symlink("anywhere", at("a/b/link"));
  expect_only_b("symlink");
  std::filesystem::resize_file(at("a/b/new"), 1);
  expect_only_b("cut");
  EXPECT_TRUE(told().empty());
}

TEST_P(FeedTest, TellsOfAFileThatIsHeldOpen) {
  watch();
  std::ofstream file(at("file"));
  EXPECT_TRUE(told().lists(tree()));
  file << "more" << std::flush;
  EXPECT_TRUE(told().lists(tree()));
}

TEST_P(FeedTest, TellsOfBothDirectoriesOfARename) {
  make(at("from"));
  make(at("to"));
  make(at("other"));
  write(at("from/file"));
  watch();
  move(at("from/file"), at("to/file"));
  const auto now = told();
  EXPECT_TRUE(now.lists(at("from")) && now.lists(at("to")));
  EXPECT_FALSE(now.lists(at("other")));
}

TEST_P(FeedTest, TellsOfADirectorysAttributes) {
  make(at("a"));
  watch();
  ASSERT_EQ(::chmod(at("a").c_str(), 0700), 0);
  EXPECT_TRUE(told().lists(at("a")));
  ASSERT_EQ(::chmod(tree().c_str(), 0700), 0);
  EXPECT_TRUE(told().lists(tree()));
}

TEST_P(FeedTest, TellsOfTheAttributesOfTheDirectoriesAbove) {
  make(beside("x/y/tree"));
  make(beside("x/other"));
  FeedRequest wanted;
  wanted.paths = {beside("x/y/tree")};
  watch(std::move(wanted));
  ASSERT_EQ(::chmod(beside("x/y").c_str(), 0700), 0);
  EXPECT_TRUE(told().lists(beside("x")));
  ASSERT_EQ(::chmod(beside("x").c_str(), 0700), 0);
  EXPECT_TRUE(told().lists(beside("")));
  ASSERT_EQ(::chmod(beside("x/other").c_str(), 0700), 0);
  EXPECT_TRUE(told().empty());
}

TEST_P(FeedTest, WatchesANewDirectoryWithAllThatIsInIt) {
  watch();
  make(at("a/b/c"));
  write(at("a/b/c/file"));
  EXPECT_TRUE(told().walks(at("a")));
  expect_seen_in(at("a/b/c"));
  expect_seen_in(at("a"));
}

TEST_P(FeedTest, WatchesADirectoryThatIsMovedIn) {
  make(beside("outside/b"));
  watch();
  move(beside("outside"), at("a"));
  EXPECT_TRUE(told().walks(at("a")));
  expect_seen_in(at("a/b"));
}

TEST_P(FeedTest, KnowsADirectoryByItsNewPlace) {
  make(at("a/b"));
  make(at("to"));
  watch();
  expect_seen_in(at("a/b"));
  move(at("a"), at("to/moved"));
  const auto now = told();
  EXPECT_TRUE(now.walks(at("to/moved")));
  EXPECT_TRUE(now.lists(tree()));
  expect_seen_in(at("to/moved/b"));
  expect_seen_in(at("to/moved"));
}

// The second move is done before anybody looks.
TEST_P(FeedTest, FollowsAChainOfMoves) {
  make(at("a/b"));
  watch();
  make(at("x"));
  move(at("a"), at("x/a"));
  move(at("x"), at("y"));
  make(at("x"));
  EXPECT_TRUE(told().walks(at("y")));
  expect_seen_in(at("y/a/b"));
  expect_seen_in(at("x"));
}

TEST_P(FeedTest, KeepsApartDirectoriesThatChangePlaces) {
  make(at("a/of-a"));
  make(at("b/of-b"));
  watch();
  ASSERT_EQ(::renameat2(AT_FDCWD, at("a").c_str(), AT_FDCWD, at("b").c_str(), RENAME_EXCHANGE), 0);
  const auto now = told();
  EXPECT_TRUE(now.walks(at("a")) && now.walks(at("b")));
  expect_seen_in(at("a/of-b"));
  expect_seen_in(at("b/of-a"));
  expect_seen_in(at("a"));
  expect_seen_in(at("b"));
}

TEST_P(FeedTest, LosesWhatIsMovedOut) {
  make(at("a/b"));
  make(beside("outside"));
  watch();
  move(at("a"), beside("outside/a"));
  EXPECT_TRUE(told().lists(tree()));
  expect_unseen_in(beside("outside/a/b"));
  expect_unseen_in(beside("outside/a"));
}

TEST_P(FeedTest, WatchesADirectoryThatReplacesAnother) {
  make(at("a/b"));
  make(at("new/c"));
  watch();
  remove(at("a"));
  move(at("new"), at("a"));
  EXPECT_TRUE(told().walks(at("a")));
  expect_seen_in(at("a/c"));
}

TEST_P(FeedTest, WatchesAPathThatIsRemovedAndMadeAgain) {
  make(at("a"));
  watch();
  remove(tree());
  EXPECT_TRUE(told().lists(beside("")));
  EXPECT_TRUE(told().empty());
  make(at("b"));
  EXPECT_TRUE(told().walks(tree()));
  expect_seen_in(at("b"));
  expect_seen_in(tree());
}

TEST_P(FeedTest, WatchesAPathWhoseWayIsMadeAnew) {
  make(beside("x/y/tree/a"));
  FeedRequest wanted;
  wanted.paths = {beside("x/y/tree")};
  watch(std::move(wanted));
  move(beside("x"), beside("away"));
  EXPECT_TRUE(told().lists(beside("")));
  expect_unseen_in(beside("away/y/tree/a"));
  remove(beside("away/y/tree"));
  EXPECT_TRUE(told().empty());
  make(beside("x"));
  static_cast<void>(told());
  make(beside("x/y/tree/b"));
  const auto now = told();
  EXPECT_TRUE(now.walks(beside("x/y/tree")));
  EXPECT_TRUE(now.lists(beside("x/y")));
  expect_seen_in(beside("x/y/tree/b"));
}

TEST_P(FeedTest, TellsNothingOfTheDirectoriesAbove) {
  watch();
  write(beside("file"));
  make(beside("directory"));
  remove(beside("file"));
  EXPECT_TRUE(told().empty());
}

TEST_P(FeedTest, WatchesASingleFile) {
  write(beside("file"));
  FeedRequest wanted;
  wanted.paths = {beside("file")};
  watch(std::move(wanted));
  const auto expect_seen = [&](const char* what) {
    SCOPED_TRACE(what);
    EXPECT_TRUE(told().lists(beside("")));
  };
  write(beside("file"));
  expect_seen("written");
  ASSERT_EQ(::chmod(beside("file").c_str(), 0600), 0);
  expect_seen("chmod");
  write(beside("other"));
  EXPECT_TRUE(told().empty());
  move(beside("other"), beside("file"));
  expect_seen("replaced");
  write(beside("file"));
  expect_seen("written after it was replaced");
  remove(beside("file"));
  expect_seen("removed");
  write(beside("file"));
  expect_seen("made again");
}

TEST_P(FeedTest, WatchesSeveralFilesOfADirectory) {
  write(beside("one"));
  write(beside("two"));
  FeedRequest wanted;
  wanted.paths = {beside("one"), beside("two")};
  watch(std::move(wanted));
  remove(beside("one"));
  EXPECT_TRUE(told().lists(beside("")));
  write(beside("two"));
  EXPECT_TRUE(told().lists(beside("")));
}

// It is packaged as a symlink.
TEST_P(FeedTest, WatchesASymlinkItself) {
  make(beside("outside"));
  std::filesystem::create_directory_symlink(beside("outside"), beside("link"));
  FeedRequest wanted;
  wanted.paths = {beside("link")};
  watch(std::move(wanted));
  expect_unseen_in(beside("outside"));
  remove(beside("link"));
  EXPECT_TRUE(told().lists(beside("")));
  std::filesystem::create_directory_symlink(beside("elsewhere"), beside("link"));
  EXPECT_TRUE(told().lists(beside("")));
}

TEST_P(FeedTest, DoesNotEnterWhatIsNotPackaged) {
  make(at("skipped/a"));
  make(at("kept"));
  auto wanted = request();
  wanted.enters = [](const std::string& directory) { return directory.find("/skipped") == std::string::npos; };
  watch(std::move(wanted));
  expect_unseen_in(at("skipped"));
  expect_unseen_in(at("skipped/a"));
  make(at("skipped/b"));
  EXPECT_TRUE(told().empty());
  expect_seen_in(at("kept"));
  make(at("kept/skipped"));
  EXPECT_TRUE(told().lists(at("kept")));
  expect_unseen_in(at("kept/skipped"));
}

TEST_P(FeedTest, DoesNotFollowSymlinks) {
  make(beside("outside"));
  std::filesystem::create_directory_symlink(beside("outside"), at("link"));
  watch();
  expect_unseen_in(beside("outside"));
  std::filesystem::create_directory_symlink(beside("outside"), at("later"));
  EXPECT_TRUE(told().lists(tree()));
  expect_unseen_in(beside("outside"));
}

TEST_P(FeedTest, FollowsSymlinksAboveTheWatchedPath) {
  make(at("a/b"));
  std::filesystem::create_directory_symlink(tree(), beside("link"));
  FeedRequest wanted;
  wanted.paths = {beside("link/a")};
  watch(std::move(wanted));
  expect_seen_in(beside("link/a"));
  expect_seen_in(beside("link/a/b"));
  make(beside("other/a/c"));
  remove(beside("link"));
  std::filesystem::create_directory_symlink(beside("other"), beside("link"));
  EXPECT_TRUE(told().walks(beside("link/a")));
  expect_seen_in(beside("link/a/c"));
}

TEST_P(FeedTest, WatchesSeveralPaths) {
  make(beside("one"));
  make(beside("two"));
  FeedRequest wanted;
  wanted.paths = {beside("one"), beside("two")};
  watch(std::move(wanted));
  expect_seen_in(beside("one"));
  expect_seen_in(beside("two"));
  expect_unseen_in(tree());
}

TEST(OpenFeed, ChoosesWhatIsToldByTheKernel) {
  const WatchedTree tree;
  const auto feed = open_feed(FeedKind::automatic, tree.request());
  EXPECT_GE(feed->descriptor(), 0);
  EXPECT_NE(feed->name(), "poll");
}

// Longer than the kernel takes in one call.
TEST_P(FeedTest, WatchesLongPaths) {
  std::string path = tree();
  os::Fd directory = os::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY, 0, {Code::failed, path});
  const auto descend = [&](const std::string& name) {
    ASSERT_EQ(::mkdirat(directory.get(), name.c_str(), 0700), 0);
    directory = os::open_at(directory.get(), name.c_str(), O_PATH | O_DIRECTORY, 0, {Code::failed, name});
    path += '/' + name;
  };
  for (int i = 0; i < 30; ++i) descend(std::string(200, 'x'));
  watch();
  ASSERT_GT(path.size(), 4096U);
  descend("new");
  EXPECT_TRUE(told().walks(path));
  static_cast<void>(os::open_at(directory.get(), "file", O_WRONLY | O_CREAT, 0600, {Code::failed, path}));
  const auto now = told();
  EXPECT_TRUE(now.lists(path));
  EXPECT_EQ(now.walks(path), feed_->name() == "fanotify");  // which cannot find out where that is
}

}  // namespace
}  // namespace mbu::ops
