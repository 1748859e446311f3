#include "config/search.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "mbu/types/error.hpp"

namespace mbu::config {
namespace {

namespace fs = std::filesystem;

// A home and a working directory of the test's own. On a machine with /etc/mbu/config.toml the last of the places differs;
// the tests that reach it skip.
class ConfigurationSearch : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(fs::temp_directory_path()) / ("mbu-search-" + std::to_string(::getpid()));
    fs::create_directories(root_ / "home");
    fs::create_directories(root_ / "work");
    before_ = fs::current_path();
    fs::current_path(root_ / "work");
    ::setenv("HOME", (root_ / "home").c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(root_);
  }

  static void write(const fs::path& path, const std::string& package_directory, mode_t mode = 0644) {
    fs::create_directories(fs::absolute(path).parent_path());
    std::ofstream(path) << "[packer]\npackage_directory = \"" << package_directory << "\"\n";
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  [[nodiscard]] fs::path user_file() const { return root_ / "home/.config/mbu/config.toml"; }
  static std::string packages(const Search& search = {}) { return find_settings(search).settings.package_directory; }
  static bool system_has_one() { return fs::exists("/etc/mbu/config.toml"); }

  fs::path root_, before_;
};

TEST_F(ConfigurationSearch, TakesTheFirstThatExists) {
  write(user_file(), "/user");
  EXPECT_EQ(packages(), "/user");
  write("config.toml", "/local");
  EXPECT_EQ(packages(), "/local");
  write(root_ / "environment.toml", "/environment");
  EXPECT_EQ(packages({"", (root_ / "environment.toml").string()}), "/environment");
  write(root_ / "given.toml", "/given");
  EXPECT_EQ(packages({(root_ / "given.toml").string(), (root_ / "environment.toml").string()}), "/given");
}

TEST_F(ConfigurationSearch, LooksWhereXdgConfigHomePoints) {
  write(root_ / "xdg/mbu/config.toml", "/xdg");
  ::setenv("XDG_CONFIG_HOME", (root_ / "xdg").c_str(), 1);
  EXPECT_EQ(packages(), "/xdg");
  ::unsetenv("XDG_CONFIG_HOME");
}

TEST_F(ConfigurationSearch, WantsAGivenFileToBeThere) {
  for (const Search& search : {Search{"/nowhere/a.toml", ""}, Search{"", "/nowhere/b.toml"}}) {
    try {
      (void)find_settings(search);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::usage);
      EXPECT_NE(error.subject().find("/nowhere/"), std::string::npos);
    }
  }
}

TEST_F(ConfigurationSearch, StartsRelativePathsAtTheFile) {
  write(root_ / "sub/given.toml", "packages");
  EXPECT_EQ(packages({(root_ / "sub/given.toml").string(), ""}), (root_ / "sub/packages").string());
  write("config.toml", "here");
  EXPECT_EQ(packages(), (root_ / "work/here").string());
}

TEST_F(ConfigurationSearch, PassesOverALocalFileOthersMayWrite) {
  write(user_file(), "/user");
  write("config.toml", "/local", 0666);
  const Found found = find_settings({});
  EXPECT_EQ(found.settings.package_directory, "/user");
  EXPECT_EQ(found.warnings.size(), 1U);
}

TEST_F(ConfigurationSearch, PassesOverALocalFileOfAnother) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  write(user_file(), "/user");
  write("config.toml", "/local");
  ASSERT_EQ(::chown("config.toml", 12345, 12345), 0);
  const Found found = find_settings({});
  EXPECT_EQ(found.settings.package_directory, "/user");
  EXPECT_EQ(found.warnings.size(), 1U);
}

TEST_F(ConfigurationSearch, PassesOverALocalFileOfAnotherProgramSilently) {
  write(user_file(), "/user");
  std::ofstream("config.toml") << "[build]\njobs = 2\n";
  const Found found = find_settings({});
  EXPECT_EQ(found.settings.package_directory, "/user");
  EXPECT_TRUE(found.warnings.empty());
}

TEST_F(ConfigurationSearch, WritesThePrivateDefaultOnce) {
  if (system_has_one()) GTEST_SKIP() << "this machine has an /etc/mbu/config.toml";
  const Found found = find_settings({});
  EXPECT_EQ(found.path, user_file().string());
  EXPECT_EQ(found.settings.package_directory, (root_ / "home/mbu-packages").string());
  struct stat status {};
  ASSERT_EQ(::stat(user_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(packages(), (root_ / "home/mbu-packages").string());
}

TEST_F(ConfigurationSearch, WritesNothingWhenAskedNotTo) {
  if (system_has_one()) GTEST_SKIP() << "this machine has an /etc/mbu/config.toml";
  EXPECT_EQ(find_settings({"", "", false}).path, "");
  EXPECT_FALSE(fs::exists(user_file()));
}

TEST_F(ConfigurationSearch, GetsByWithoutAHome) {
  if (system_has_one()) GTEST_SKIP() << "this machine has an /etc/mbu/config.toml";
  ::unsetenv("HOME");
  const Found found = find_settings({});
  EXPECT_EQ(found.path, "");
  EXPECT_EQ(found.settings.package_directory, "");
}

TEST_F(ConfigurationSearch, GetsByWithAHomeThatCannotBeWritten) {
  if (system_has_one()) GTEST_SKIP() << "this machine has an /etc/mbu/config.toml";
  ::setenv("HOME", "/proc/1", 1);
  const Found found = find_settings({});
  EXPECT_EQ(found.path, "");
  EXPECT_EQ(found.settings.package_directory, "/proc/1/mbu-packages");
}

TEST_F(ConfigurationSearch, MakesNoHomeThatIsNotThere) {
  if (system_has_one()) GTEST_SKIP() << "this machine has an /etc/mbu/config.toml";
  ::setenv("HOME", (root_ / "nobody's").c_str(), 1);
  const Found found = find_settings({});
  EXPECT_EQ(found.path, "");
  EXPECT_EQ(found.settings.package_directory, "");
  EXPECT_FALSE(fs::exists(root_ / "nobody's"));
}

}  // namespace
}  // namespace mbu::config
