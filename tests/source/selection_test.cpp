#include "source/selection.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "mbu/types/error.hpp"
#include "os/file.hpp"

namespace mbu::source {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSignature = "Signature: 8a477f597d28d172789f06886806bc55";

class SelectorTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(fs::temp_directory_path()) / ("mbu-selection-" + std::to_string(::getpid()));
    fs::create_directories(root_ / "d");
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name, std::ios::binary) << text;
    return (root_ / name).string();
  }

  // What marks the directory d.
  std::optional<std::string> tag(const Selection& selection) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / "d")) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    const auto path = (root_ / "d").string();
    const auto directory = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY, 0, {Code::failed, path});
    return Selector(selection, {}, {}).tag_of(directory.get(), names);
  }

  fs::path root_;
};

using Tag = std::optional<std::string>;

Selection excluding(std::vector<std::string> patterns) {
  Selection selection;
  selection.excludes = std::move(patterns);
  return selection;
}

bool excludes(const Selection& selection, const std::string& path) {
  return Selector(selection, {}, {}).excludes(path, false);
}

void expect_usage(const Selection& selection, const std::string& named) {
  try {
    const Selector selector(selection, {}, {});
    ADD_FAILURE() << named;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  }
}

TEST_F(SelectorTest, SelectsEverythingByDefault) {
  const Selector selector({}, {"/a"}, {});
  EXPECT_FALSE(selector.excludes("/", true));
  EXPECT_FALSE(selector.excludes("/a/b", false));
  EXPECT_FALSE(selector.too_large(~0ULL));
  EXPECT_FALSE(selector.one_file_system());
  EXPECT_FALSE(selector.gitignore());
  EXPECT_EQ(tag({}), Tag());
}

TEST_F(SelectorTest, LeavesOutWhatPatternsNameEvenWhenAskedFor) {
  const Selector selector(excluding({"*.o", "/home/u"}), {"/home/u", "/x.o"}, {});
  EXPECT_TRUE(selector.excludes("/home/u", true));
  EXPECT_TRUE(selector.excludes("/home/u/a", false));
  EXPECT_TRUE(selector.excludes("/x.o", false));
  EXPECT_FALSE(selector.excludes("/home", true));
}

TEST_F(SelectorTest, LeavesOutWhatEitherListNames) {
  Selection selection = excluding({"a"});
  selection.iexcludes = {"B", "!a"};
  EXPECT_TRUE(excludes(selection, "/a"));
  EXPECT_FALSE(excludes(selection, "/A"));
  EXPECT_TRUE(excludes(selection, "/b"));
  EXPECT_TRUE(excludes(selection, "/B"));
}

TEST_F(SelectorTest, NeverSelectsItsOwnDirectories) {
  const Selector selector(excluding({"x", "!/repo"}), {"/"}, {"/repo", "/var/cache/mbu/"});
  EXPECT_TRUE(selector.excludes("/repo", true));
  EXPECT_TRUE(selector.excludes("/repo/packs/x", false));
  EXPECT_TRUE(selector.excludes("/var/cache/mbu", true));
  EXPECT_TRUE(selector.excludes("/var/cache/mbu/a", false));
  EXPECT_FALSE(selector.excludes("/repository", true));
  EXPECT_FALSE(selector.excludes("/rep", true));
  EXPECT_FALSE(selector.excludes("/var/cache", true));
  EXPECT_FALSE(selector.excludes("/a/repo", true));
  EXPECT_TRUE(Selector({}, {}, {"/"}).excludes("/a", false));
}

TEST_F(SelectorTest, ReadsExcludeFilesAfterTheCommandLine) {
  Selection selection = excluding({"*.c", "*.h"});
  selection.exclude_files = {write("one", "\xef\xbb\xbf# a comment\n\n*.go\r\n  foo bar  \n   \t\n!keep.c\n\\#x\n$$HOME\n"),
                             write("two", "last[ ]\n*.tmp")};
  EXPECT_TRUE(excludes(selection, "/x.c"));
  EXPECT_FALSE(excludes(selection, "/keep.c"));
  EXPECT_TRUE(excludes(selection, "/x.go"));
  EXPECT_TRUE(excludes(selection, "/foo bar/y"));
  EXPECT_TRUE(excludes(selection, "/#x"));
  EXPECT_FALSE(excludes(selection, "/# a comment"));
  EXPECT_TRUE(excludes(selection, "/$HOME"));
  EXPECT_TRUE(excludes(selection, "/last "));
  EXPECT_FALSE(excludes(selection, "/last"));
  EXPECT_TRUE(excludes(selection, "/x.tmp"));
  EXPECT_FALSE(excludes(selection, "/other"));
}

TEST_F(SelectorTest, NamesTheExcludeFileThatCannotBeRead) {
  Selection selection;
  selection.exclude_files = {(root_ / "missing").string()};
  expect_usage(selection, "missing");
  selection.exclude_files = {(root_ / "d").string()};
  expect_usage(selection, (root_ / "d").string());
}

TEST_F(SelectorTest, NamesTheMalformedPatternAndItsFile) {
  expect_usage(excluding({"fine", "[oops"}), "[oops");
  Selection selection;
  selection.iexcludes = {"oops\\"};
  expect_usage(selection, "oops\\");
  selection.iexcludes.clear();
  selection.exclude_files = {write("patterns", "fine\n[oops\n")};
  expect_usage(selection, "[oops");
  expect_usage(selection, (root_ / "patterns").string());
}

TEST_F(SelectorTest, CallsFilesTooLargeOnlyAboveTheLimit) {
  Selection selection;
  selection.exclude_larger_than = 1000;
  const Selector selector(selection, {}, {});
  EXPECT_FALSE(selector.too_large(1000));
  EXPECT_TRUE(selector.too_large(1001));
  selection.exclude_larger_than = 0;
  EXPECT_FALSE(Selector(selection, {}, {}).too_large(0));
  EXPECT_TRUE(Selector(selection, {}, {}).too_large(1));
}

TEST_F(SelectorTest, PassesFlagsOn) {
  Selection selection;
  selection.one_file_system = selection.gitignore = true;
  const Selector selector(selection, {}, {});
  EXPECT_TRUE(selector.one_file_system());
  EXPECT_TRUE(selector.gitignore());
}

TEST_F(SelectorTest, TakesAMarkerWithoutHeaderWhateverItIs) {
  Selection selection;
  selection.exclude_if_present = {".nobackup"};
  EXPECT_EQ(tag(selection), Tag());
  write("d/.nobackup.txt", "");
  EXPECT_EQ(tag(selection), Tag());
  fs::create_directory(root_ / "d/.nobackup");
  EXPECT_EQ(tag(selection), Tag(".nobackup"));
  fs::remove(root_ / "d/.nobackup");
  fs::create_symlink("nowhere", root_ / "d/.nobackup");
  EXPECT_EQ(tag(selection), Tag(".nobackup"));
}

TEST_F(SelectorTest, ComparesAMarkersHeader) {
  Selection selection;
  selection.exclude_if_present = {"TAG:a:b"};
  const std::vector<std::pair<std::string, Tag>> rows = {
      {"a:b", Tag("TAG")}, {"a:b and more", Tag("TAG")}, {"a:", Tag()}, {"", Tag()}, {" a:b", Tag()}, {"A:B", Tag()}};
  for (const auto& [text, marks] : rows) {
    write("d/TAG", text);
    EXPECT_EQ(tag(selection), marks) << text;
  }
  selection.exclude_if_present = {"other", "TAG:"};
  EXPECT_EQ(tag(selection), Tag("TAG"));
}

TEST_F(SelectorTest, TakesACacheTagOnlyWithItsSignature) {
  Selection selection;
  selection.exclude_caches = true;
  write("d/CACHEDIR.TAG", "Signature: something else entirely, and long enough");
  EXPECT_EQ(tag(selection), Tag());
  write("d/CACHEDIR.TAG", std::string(kSignature).substr(0, 42));
  EXPECT_EQ(tag(selection), Tag());
  write("d/CACHEDIR.TAG", std::string(kSignature) + "\n# of a program\n");
  EXPECT_EQ(tag(selection), Tag("CACHEDIR.TAG"));
  EXPECT_EQ(tag({}), Tag());
}

TEST_F(SelectorTest, TrustsOnlyRegularFilesForAHeader) {
  Selection selection;
  selection.exclude_caches = true;
  const auto elsewhere = write("elsewhere", kSignature);
  fs::create_symlink(elsewhere, root_ / "d/CACHEDIR.TAG");
  EXPECT_EQ(tag(selection), Tag());
  fs::remove(root_ / "d/CACHEDIR.TAG");
  ASSERT_EQ(::mkfifo((root_ / "d/CACHEDIR.TAG").c_str(), 0600), 0);
  EXPECT_EQ(tag(selection), Tag());  // and does not hang
  fs::remove(root_ / "d/CACHEDIR.TAG");
  fs::create_directory(root_ / "d/CACHEDIR.TAG");
  EXPECT_EQ(tag(selection), Tag());
}

TEST_F(SelectorTest, TakesAnUnreadableMarkerForNone) {
  Selection selection;
  selection.exclude_caches = true;
  const auto path = (root_ / "d").string();
  const auto directory = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY, 0, {Code::failed, path});
  // It was there when the directory was listed.
  EXPECT_EQ(Selector(selection, {}, {}).tag_of(directory.get(), {"CACHEDIR.TAG"}), Tag());
}

TEST_F(SelectorTest, RefusesMarkersThatAreNoNames) {
  for (const char* text : {"", ":header", "a/b", "/a", ".", "..", "..:x", "a/:x"}) {
    Selection selection;
    selection.exclude_if_present = {text};
    expect_usage(selection, "is not the name of a file");
  }
}

TEST_F(SelectorTest, HasAKeyOfItsOwnForEverySelection) {
  const auto file = write("patterns", "from-file\n");
  const std::vector<std::function<void(Selection&)>> changes = {
      [](Selection&) {},
      [](Selection& s) { s.excludes = {"a"}; },
      [](Selection& s) { s.excludes = {"b"}; },
      [](Selection& s) { s.excludes = {"a", "b"}; },
      [](Selection& s) { s.excludes = {"b", "a"}; },
      [](Selection& s) { s.excludes = {"a1:b"}; },
      [](Selection& s) { s.excludes = {"a\n1:b"}; },
      [](Selection& s) { s.iexcludes = {"a"}; },
      [&](Selection& s) { s.exclude_files = {file}; },
      [](Selection& s) { s.exclude_if_present = {"a"}; },
      [](Selection& s) { s.exclude_if_present = {"a:b"}; },
      [](Selection& s) { s.exclude_if_present = {"a", "b"}; },
      [](Selection& s) { s.exclude_caches = true; },
      [](Selection& s) { s.exclude_larger_than = 0; },
      [](Selection& s) { s.exclude_larger_than = 1; },
      [](Selection& s) { s.gitignore = true; },
      [](Selection& s) { s.one_file_system = true; },
  };
  std::set<std::string> keys;
  for (const auto& change : changes) {
    Selection selection;
    change(selection);
    const std::string key = Selector(selection, {"/a"}, {}).key();
    EXPECT_EQ(key, Selector(selection, {"/a"}, {}).key());
    EXPECT_TRUE(keys.insert(key).second);
  }
  EXPECT_TRUE(keys.insert(Selector({}, {"/a"}, {"/own"}).key()).second);
}

TEST_F(SelectorTest, HasTheSameKeyForTheSameSelection) {
  EXPECT_EQ(Selector({}, {}, {"/b", "/a/", "/b"}).key(), Selector({}, {}, {"/a", "/b"}).key());
  // Patterns of a file count, not its name.
  Selection file;
  file.exclude_files = {write("patterns", "# comment\na\n")};
  EXPECT_EQ(Selector(file, {}, {}).key(), Selector(excluding({"a"}), {}, {}).key());
  write("patterns", "b\n");
  EXPECT_NE(Selector(file, {}, {}).key(), Selector(excluding({"a"}), {}, {}).key());
  // The paths asked for count where they decide something.
  EXPECT_EQ(Selector({}, {"/a"}, {}).key(), Selector({}, {"/b"}, {}).key());
  Selection within;
  within.one_file_system = true;
  EXPECT_NE(Selector(within, {"/a"}, {}).key(), Selector(within, {"/b"}, {}).key());
  EXPECT_EQ(Selector(within, {"/a", "/b/"}, {}).key(), Selector(within, {"/b", "/a"}, {}).key());
}

TEST_F(SelectorTest, AnswersSeveralThreads) {
  Selection selection = excluding({"**/a*b*/x", "!/keep"});
  selection.exclude_caches = true;
  write("d/CACHEDIR.TAG", kSignature);
  const auto path = (root_ / "d").string();
  const auto directory = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY, 0, {Code::failed, path});
  const Selector selector(selection, {}, {"/own"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        EXPECT_TRUE(selector.excludes("/y/aXbX/x", false));
        EXPECT_FALSE(selector.excludes("/y/aXb", false));
        EXPECT_TRUE(selector.tag_of(directory.get(), {"CACHEDIR.TAG"}));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace mbu::source
