// What feeds do when they are not told enough: the queue overflows, or something is mounted.
#include <sched.h>
#include <sys/mount.h>

#include "child.hpp"
#include "told.hpp"

namespace mbu::ops {
namespace {

class FeedLimitsTest : public testing::TestWithParam<FeedKind>, public WatchedTree {
 protected:
  void SetUp() override {
    try {
      static_cast<void>(open_feed(GetParam(), request()));
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, FeedLimitsTest, testing::Values(FeedKind::inotify, FeedKind::fanotify),
                         [](const auto& kind) { return kind.param == FeedKind::inotify ? "inotify" : "fanotify"; });

TEST_P(FeedLimitsTest, BeginsAgainWhenTheQueueOverflows) {
  const std::string kind = GetParam() == FeedKind::inotify ? "inotify" : "fanotify";
  std::size_t limit = 0;
  std::ifstream("/proc/sys/fs/" + kind + "/max_queued_events") >> limit;
  if (limit == 0 || limit > 100'000) GTEST_SKIP() << "the queue takes too many events: " << limit;
  make(at("old/a"));
  make(at("gone"));
  make(at("many"));
  const auto feed = open_feed(GetParam(), request());
  for (std::size_t i = 0; i < limit + 10; ++i) write(at("many/") + std::to_string(i), "");
  move(at("old"), at("new"));
  remove(at("gone"));
  make(at("made/b"));
  EXPECT_TRUE(is_readable(*feed));
  EXPECT_TRUE(Told(*feed).walks(tree()));
  EXPECT_TRUE(Told(*feed).empty());
  for (const auto& directory : {at("new/a"), at("made/b"), at("made"), tree()}) {
    write(directory + "/file");
    EXPECT_TRUE(is_readable(*feed)) << directory;
    const Told told(*feed);
    EXPECT_TRUE(told.lists(directory)) << directory;
    EXPECT_FALSE(told.lists(at("old/a"))) << directory;
  }
}

// The name of the mount point needs to be escaped in the mount table.
TEST_P(FeedLimitsTest, SeesWhatIsMountedAndUnmounted) {
  const auto point = at("mount point");
  make(point + "/hidden");
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
    const auto feed = open_feed(GetParam(), request());
    if (::mount("none", point.c_str(), "tmpfs", 0, nullptr) != 0) return kSkipped;
    if (!is_readable(*feed) || !Told(*feed).walks(point)) return failed(__LINE__);
    write(point + "/file");
    const Told seen(*feed);
    if (!seen.lists(point) || seen.walks(point)) return failed(__LINE__);
    if (::umount(point.c_str()) != 0) return failed(__LINE__);
    if (!is_readable(*feed) || !Told(*feed).walks(point)) return failed(__LINE__);
    write(point + "/hidden/file");
    const Told uncovered(*feed);
    if (!uncovered.lists(point + "/hidden") || uncovered.walks(point)) return failed(__LINE__);
    return Told(*feed).empty() ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nothing may be mounted";
  EXPECT_EQ(result, 0);
}

TEST_P(FeedLimitsTest, SeesWhatIsMountedOverTheWay) {
  make(beside("way/tree"));
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
    FeedRequest wanted;
    wanted.paths = {beside("way/tree")};
    const auto feed = open_feed(GetParam(), std::move(wanted));
    if (::mount("none", beside("way").c_str(), "tmpfs", 0, nullptr) != 0) return kSkipped;
    if (!Told(*feed).lists(beside("way"))) return failed(__LINE__);
    make(beside("way/tree/a"));
    if (!Told(*feed).walks(beside("way/tree"))) return failed(__LINE__);
    write(beside("way/tree/a/file"));
    if (!Told(*feed).lists(beside("way/tree/a"))) return failed(__LINE__);
    if (::umount(beside("way").c_str()) != 0) return failed(__LINE__);
    return Told(*feed).walks(beside("way/tree")) ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nothing may be mounted";
  EXPECT_EQ(result, 0);
}

// In a chroot without /proc nobody can say what is mounted where.
TEST_P(FeedLimitsTest, RefusesToWatchNothing) {
  const int result = in_child([&] {
    if (::chroot(beside("").c_str()) != 0) return kSkipped;
    FeedRequest wanted;
    wanted.paths = {"/tree"};
    try {
      static_cast<void>(open_feed(GetParam(), std::move(wanted)));
    } catch (const Error& error) {
      return error.code() == Code::failed ? 0 : failed(__LINE__);
    }
    return failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nothing may be a root";
  EXPECT_EQ(result, 0);
}

// Its mount has the number that the one before had, so that the mount table looks as it did.
TEST_P(FeedLimitsTest, WatchesWhatWasAwayForAMomentWhenEverythingIsCompared) {
  const auto point = at("point");
  make(point);
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
    const auto mount = [&] { return ::mount("none", point.c_str(), "tmpfs", 0, nullptr) == 0; };
    if (!mount()) return kSkipped;
    const auto feed = open_feed(GetParam(), request());
    if (::umount(point.c_str()) != 0 || !mount()) return failed(__LINE__);
    static_cast<void>(Told(*feed));
    feed->begin_again();
    write(point + "/file");
    return Told(*feed).lists(point) ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nothing may be mounted";
  EXPECT_EQ(result, 0);
}

// A directory that is seen twice: what changes in it is told at both places.
TEST_P(FeedLimitsTest, KnowsADirectoryByAllItsPlaces) {
  make(at("a/b"));
  make(at("again"));
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
    if (::mount(at("a").c_str(), at("again").c_str(), nullptr, MS_BIND, nullptr) != 0) return kSkipped;
    const auto feed = open_feed(GetParam(), request());
    write(at("again/b/file"));
    const Told both(*feed);
    if (!both.lists(at("a/b")) || !both.lists(at("again/b"))) return failed(__LINE__);
    if (::umount(at("again").c_str()) != 0) return failed(__LINE__);
    if (!Told(*feed).walks(at("again"))) return failed(__LINE__);
    write(at("a/b/file"));
    const Told one(*feed);
    return one.lists(at("a/b")) && !one.lists(at("again/b")) ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nothing may be mounted";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace mbu::ops
