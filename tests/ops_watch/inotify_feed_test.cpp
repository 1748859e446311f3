// What only the feed by inotify does: its limits.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "child.hpp"
#include "ops/watch/path.hpp"
#include "told.hpp"

namespace mbu::ops {
namespace {

class InotifyFeedTest : public testing::Test, public WatchedTree {
 protected:
  // In a child process: for somebody who may read what its modes let everybody read, and who owns the tree.
  [[nodiscard]] bool become_nobody() const {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() != 0) return true;
    return ::chmod(beside("").c_str(), 0755) == 0 && ::chown(tree().c_str(), kNobody, kNobody) == 0 &&
           ::setresuid(kNobody, kNobody, kNobody) == 0;
  }
  static void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }
};

// Watches that are missing: in a user namespace of its own, which has a limit of its own.
TEST_F(InotifyFeedTest, PollsWhatItMayNotWatch) {
  for (const auto* name : {"a", "b", "c"}) make(at(name));
  const auto enough_for_a = WatchedPaths::way_to(tree()).size() + 2;
  const std::string limit = "/proc/sys/user/max_inotify_watches";
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWUSER) != 0 || !set_limit(limit, enough_for_a)) return kSkipped;
    std::vector<std::string> warnings;
    auto wanted = request();
    wanted.poll_interval_ns = 1'000'000;
    wanted.warn = [&](const std::string& text) { warnings.push_back(text); };
    const auto feed = open_inotify_feed(std::move(wanted));
    if (warnings.size() != 1 || warnings[0].find("fs.inotify.max_user_watches") == std::string::npos) return failed(__LINE__);
    if (!feed->due()) return failed(__LINE__);
    wait_a_little();
    const Told polled(*feed);
    if (!polled.walks(at("b")) || !polled.walks(at("c")) || polled.lists(at("a"))) return failed(__LINE__);
    feed->compared(0);
    if (!feed->due()) return failed(__LINE__);
    if (!set_limit(limit, 1000)) return failed(__LINE__);
    wait_a_little();
    if (!Told(*feed).walks(at("b"))) return failed(__LINE__);
    if (feed->due()) return failed(__LINE__);
    write(at("b/file"));
    const Told seen(*feed);
    if (!seen.lists(at("b")) || seen.walks(at("b")) || seen.lists(at("c"))) return failed(__LINE__);
    return warnings.size() == 1 ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "user namespaces are not to be had";
  EXPECT_EQ(result, 0);
}

TEST_F(InotifyFeedTest, SaysWhichLimitOfInstancesIsReached) {
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWUSER) != 0 || !set_limit("/proc/sys/user/max_inotify_instances", 0)) return kSkipped;
    try {
      static_cast<void>(open_inotify_feed(request()));
    } catch (const Error& error) {
      if (error.code() != Code::failed) return failed(__LINE__);
      return error.next().find("fs.inotify.max_user_instances") != std::string::npos ? 0 : failed(__LINE__);
    }
    return failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "user namespaces are not to be had";
  EXPECT_EQ(result, 0);
}

TEST_F(InotifyFeedTest, WatchesADirectoryOnceItMayBeRead) {
  const int result = in_child([&] {
    if (!become_nobody()) return kSkipped;
    make(at("closed/b"));
    if (::chmod(at("closed").c_str(), 0) != 0) return failed(__LINE__);
    const auto feed = open_inotify_feed(request());
    if (feed->due()) return failed(__LINE__);
    if (::chmod(at("closed").c_str(), 0700) != 0) return failed(__LINE__);
    if (!Told(*feed).walks(at("closed"))) return failed(__LINE__);
    write(at("closed/b/file"));
    const Told seen(*feed);
    if (!seen.lists(at("closed/b")) || seen.walks(at("closed/b"))) return failed(__LINE__);
    if (::chmod(at("closed").c_str(), 0500) != 0) return failed(__LINE__);
    const Told changed(*feed);
    return changed.lists(at("closed")) && !changed.walks(at("closed")) ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nobody else to be";
  EXPECT_EQ(result, 0);
}

// As in a /home that nobody may list.
TEST_F(InotifyFeedTest, PollsForAPathThatNobodyTellsOf) {
  const int result = in_child([&] {
    if (!become_nobody()) return kSkipped;
    make(at("way/tree"));
    if (::chmod(at("way").c_str(), 0300) != 0) return failed(__LINE__);
    FeedRequest wanted;
    wanted.paths = {at("way/tree")};
    wanted.poll_interval_ns = 1'000'000;
    const auto feed = open_inotify_feed(std::move(wanted));
    if (feed->due()) return failed(__LINE__);  // it is there and tells itself
    remove(at("way/tree"));
    if (!Told(*feed).lists(at("way")) || !feed->due()) return failed(__LINE__);
    make(at("way/tree"));
    wait_a_little();
    if (!Told(*feed).walks(at("way/tree")) || feed->due()) return failed(__LINE__);
    write(at("way/tree/file"));
    const bool seen = Told(*feed).lists(at("way/tree"));
    return ::chmod(at("way").c_str(), 0700) == 0 && seen ? 0 : failed(__LINE__);
  });
  if (result == kSkipped) GTEST_SKIP() << "nobody else to be";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace mbu::ops
