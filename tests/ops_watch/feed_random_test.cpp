// Whatever is done to a tree: each directory whose listing differs from before must be told of.
#include <fcntl.h>
#include <sys/stat.h>

#include "../support/random.hpp"
#include "told.hpp"

namespace mbu::ops {
namespace {

namespace fs = std::filesystem;

// What a comparison would see in a directory: names, inodes, and times of change.
using Listing = std::map<std::string, std::tuple<ino_t, std::int64_t, std::int64_t>>;

class FeedRandomTest : public testing::TestWithParam<FeedKind>, public WatchedTree {
 protected:
  void SetUp() override {
    try {
      feed_ = open_feed(GetParam(), request());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    make(beside("outside"));
  }

  static Listing list(const std::string& directory) {
    Listing listing;
    for (const auto& entry : fs::directory_iterator(directory)) {
      struct stat status {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &status), 0);
      listing[entry.path().filename()] = {status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
    }
    return listing;
  }

  // Of the tree, by path.
  std::map<std::string, Listing> look() const {
    std::map<std::string, Listing> all;
    for (const auto& directory : directories(tree())) all[directory] = list(directory);
    return all;
  }

  static std::vector<std::string> directories(const std::string& top) {
    std::vector<std::string> all{top};
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (entry.is_directory()) all.push_back(entry.path());
    }
    return all;
  }

  std::string any_directory() {
    auto all = directories(random_.below(8) == 0 ? beside("outside") : tree());
    return all[random_.below(all.size())];
  }
  std::string any_name() { return "d" + std::to_string(random_.below(6)); }

  // One change; some of them cannot be made, which is as well.
  void change() {
    std::error_code ignored;
    const auto from = any_directory();
    const auto to = any_directory();
    const bool is_top = from == tree() || from == beside("outside");
    switch (random_.below(9)) {
      case 0:
      case 1: fs::create_directories(to + '/' + any_name() + '/' + any_name(), ignored); break;
      case 2:
      case 3: write(to + "/file"); break;
      case 4: fs::rename(from + "/file", to + "/file", ignored); break;
      case 5:
        if (!is_top) fs::rename(from, to + '/' + any_name(), ignored);
        break;
      case 6: ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE); break;
      case 7: ::chmod(to.c_str(), random_.coin() ? 0700 : 0750); break;
      default:
        if (random_.below(4) == 0 && (!is_top || random_.below(4) == 0)) remove(from);
        make(tree());
        make(beside("outside"));
    }
  }

  mbu::test::Random random_{11};
  std::unique_ptr<Feed> feed_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, FeedRandomTest, testing::Values(FeedKind::inotify, FeedKind::fanotify),
                         [](const auto& kind) { return kind.param == FeedKind::inotify ? "inotify" : "fanotify"; });

TEST_P(FeedRandomTest, TellsOfEveryChange) {
  auto before = look();
  std::size_t differences = 0;
  for (int round = 0; round < 300; ++round) {
    const auto changes = 1 + random_.below(6);
    for (std::uint64_t i = 0; i < changes; ++i) change();
    const Told told(*feed_);
    auto after = look();
    for (const auto& [directory, listing] : after) {
      const auto old = before.find(directory);
      if (old != before.end() && old->second == listing) continue;
      ++differences;
      ASSERT_TRUE(told.lists(directory)) << "round " << round << ": " << directory;
    }
    before = std::move(after);
  }
  EXPECT_GT(differences, 300U);
  EXPECT_TRUE(Told(*feed_).empty());
}

// In the end the feed knows each directory by one path, its own.
TEST_P(FeedRandomTest, KnowsWhereDirectoriesAre) {
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 5; ++i) change();
    static_cast<void>(Told(*feed_));
    const auto directory = any_directory();
    write(directory + "/written");
    const Told told(*feed_);
    EXPECT_EQ(told.lists(directory), directory.starts_with(tree())) << "round " << round << ": " << directory;
    EXPECT_FALSE(told.walks(directory));
    for (const auto& other : directories(tree())) {
      if (other != directory && fs::path(directory).parent_path() != other) {
        EXPECT_FALSE(told.lists(other)) << "round " << round << ": " << other;
      }
    }
  }
}

}  // namespace
}  // namespace mbu::ops
