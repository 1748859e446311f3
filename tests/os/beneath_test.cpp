#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../support/expect.hpp"
#include "../support/temporary_directory.hpp"
#include "os/file.hpp"

namespace mbu::os {
namespace {

constexpr Blame kBlame{Code::source, "subject"};

class OpenBeneath : public ::testing::Test {
 protected:
  OpenBeneath() {
    std::filesystem::create_directories(directory_ / "a/b");
    std::ofstream(directory_ / "a/b/file") << "x";
    std::filesystem::create_directory_symlink("a", directory_ / "link");
    std::filesystem::create_symlink("a/b/file", directory_ / "file-link");
    root_ = open_at(AT_FDCWD, directory_.path().c_str(), O_RDONLY | O_DIRECTORY, 0, kBlame);
  }
  void refuses(const std::string& path) {
    EXPECT_EQ(test::error_of([&] { (void)open_beneath(root_.get(), path, O_RDONLY, 0, kBlame); }).code(), Code::source) << path;
  }
  test::TemporaryDirectory directory_;
  Fd root_;
};

TEST_F(OpenBeneath, OpensWhatIsThere) {
  EXPECT_TRUE(open_beneath(root_.get(), "a/b/file", O_RDONLY, 0, kBlame));
  EXPECT_TRUE(open_beneath(root_.get(), ".", O_RDONLY | O_DIRECTORY, 0, kBlame));
}

TEST_F(OpenBeneath, FollowsNoSymlinkAndLeadsNowhereElse) {
  for (const auto* path : {"link/b/file", "link", "file-link", "../etc", "a/../../etc", "/etc/passwd"}) refuses(path);
}

// Longer than what the kernel takes in one call, so that it goes component by component.
TEST_F(OpenBeneath, KeepsToItForLongPaths) {
  const std::string name(200, 'd');
  std::string path;
  auto at = open_beneath(root_.get(), ".", O_RDONLY | O_DIRECTORY, 0, kBlame);
  for (int i = 0; i < 25; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0700), 0);
    at = open_beneath(at.get(), name, O_RDONLY | O_DIRECTORY, 0, kBlame);
    path += name + '/';
  }
  EXPECT_TRUE(open_beneath(root_.get(), path + "x", O_WRONLY | O_CREAT, 0600, kBlame));
  EXPECT_TRUE(open_beneath(root_.get(), path, O_RDONLY | O_DIRECTORY, 0, kBlame));
  ASSERT_EQ(::symlinkat(".", at.get(), "again"), 0);
  refuses(path + "again/x");
  refuses(path + "again");
  refuses("link/" + path);
  refuses(path + "..");
}

}  // namespace
}  // namespace mbu::os
