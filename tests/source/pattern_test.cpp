#include "source/pattern.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "mbu/types/error.hpp"

namespace mbu::source {
namespace {

using Patterns = std::vector<std::string>;

PatternList compile(const Patterns& patterns, Case fold = Case::sensitive) { return PatternList::compile(patterns, fold); }

struct Row {
  Patterns patterns;
  std::string path;
  bool matches;
};

void expect(const std::vector<Row>& rows, Case fold = Case::sensitive) {
  for (const auto& row : rows) {
    std::string shown;
    for (const auto& pattern : row.patterns) shown += '\'' + pattern + "' ";
    EXPECT_EQ(compile(row.patterns, fold).matches(row.path), row.matches) << shown << "on " << row.path;
  }
}

TEST(PatternList, MatchesWholeComponentsAtAnyDepth) {
  expect({
      {{"foo"}, "/foo", true},
      {{"foo"}, "/a/b/foo", true},
      {{"foo"}, "/dir1/foo/dir2/file", true},
      {{"foo"}, "/dir/foobar", false},
      {{"foo"}, "/barfoo", false},
      {{"foo"}, "/", false},
      {{"foo"}, "/fo", false},
      {{"foo/bar"}, "/foo/bar", true},
      {{"foo/bar"}, "/x/foo/bar", true},
      {{"foo/bar"}, "/x/foo/bar/y/z", true},
      {{"foo/bar"}, "/x/foo/y/bar", false},
      {{"foo/bar"}, "/foo/foo/bar", true},
      {{"foo/bar"}, "/bar/foo", false},
  });
}

TEST(PatternList, TiesALeadingSlashToTheRoot) {
  expect({
      {{"/bin"}, "/bin", true},
      {{"/bin"}, "/bin/bash", true},
      {{"/bin"}, "/usr/bin/restic", false},
      {{"/usr/*/x"}, "/usr/local/x", true},
      {{"/usr/*/x"}, "/a/usr/local/x", false},
      {{"/"}, "/", true},
      {{"/"}, "/anything/at/all", true},
  });
}

TEST(PatternList, KeepsWildcardsWithinAComponent) {
  expect({
      {{"*.go"}, "/a/main.go", true},
      {{"*.go"}, "/a/main.go/below", true},
      {{"*.go"}, "/a/main.goo", false},
      {{"*.go"}, "/a/.go", true},
      {{"b*ash"}, "/bin/bash", true},
      {{"b*ash"}, "/bin/ash", false},
      {{"lib*"}, "/usr/lib64/x", true},
      {{"*"}, "/x", true},
      {{"*"}, "/", false},
      {{"/*"}, "/x/y", true},
      {{"/*/*"}, "/x", false},
      {{"a*b*c"}, "/aXbYbZc", true},
      {{"a*b*c"}, "/aXbYbZ", false},
      {{"a*a"}, "/a", false},
      {{"*a*"}, "/bab", true},
      {{"*a*"}, "/bbb", false},
      {{"?"}, "/x", true},
      {{"?"}, "/xy", false},
      {{"a?c"}, "/abc", true},
      {{"a?c"}, "/ac", false},
      {{"?*"}, "/x", true},
      {{"a**b"}, "/aXXb", true},
      {{"a**b"}, "/a/b", false},
      {{"***"}, "/a", true},
  });
}

TEST(PatternList, KnowsClasses) {
  expect({
      {{"[abc]"}, "/b", true},
      {{"[abc]"}, "/d", false},
      {{"[a-c]x"}, "/bx", true},
      {{"[a-cx-z]"}, "/y", true},
      {{"[a-cx-z]"}, "/m", false},
      {{"[^a]"}, "/b", true},
      {{"[^a]"}, "/a", false},
      {{"[^a]"}, "/ab", false},
      {{"[!a]"}, "/!", true},
      {{"[!a]"}, "/b", false},
      {{"[\\]]"}, "/]", true},
      {{"[\\-]"}, "/-", true},
      {{"[a\\-z]"}, "/-", true},
      {{"[a\\-z]"}, "/m", false},
      {{"[z-a]"}, "/m", false},
      {{"*.[oa]"}, "/x.o", true},
      {{"*.[oa]"}, "/x.c", false},
      {{"[[]"}, "/[", true},
      {{"]"}, "/]", true},
      {{"[\xfe-\xff]"}, "/\xff", true},
      {{"[^\xff]"}, "/\xff", false},
      {{"[*]"}, "/*", true},
      {{"[*]"}, "/x", false},
  });
}

TEST(PatternList, TakesEscapedCharactersAsThemselves) {
  expect({
      {{"\\*"}, "/*", true},
      {{"\\*"}, "/x", false},
      {{"a\\?"}, "/a?", true},
      {{"a\\?"}, "/ab", false},
      {{"\\[a"}, "/[a", true},
      {{"\\!x"}, "/!x", true},
      {{"\\\\"}, "/\\", true},
      {{"\\a"}, "/a", true},
      {{"\\*\\*"}, "/**", true},
      {{"\\*\\*"}, "/a/b", false},
      {{"\\**"}, "/*x", true},
  });
}

TEST(PatternList, LetsDoubleStarsCrossComponents) {
  expect({
      {{"foo/**/bar"}, "/dir1/foo/dir2/bar/file", true},
      {{"foo/**/bar"}, "/foo/bar/file", true},
      {{"foo/**/bar"}, "/tmp/foo/bar", true},
      {{"foo/**/bar"}, "/foo/x/y/z/bar", true},
      {{"foo/**/bar"}, "/foo/x/y/z", false},
      {{"foo/**/bar"}, "/bar/foo", false},
      {{"/foo/**/bar"}, "/x/foo/bar", false},
      {{"/**/bar"}, "/bar", true},
      {{"/**/bar"}, "/a/b/bar/c", true},
      {{"**/bar"}, "/a/bar", true},
      {{"foo/**"}, "/foo", true},
      {{"foo/**"}, "/a/foo/b", true},
      {{"foo/**"}, "/fo", false},
      {{"**"}, "/a", true},
      {{"/a/**/b/**/c"}, "/a/b/c", true},
      {{"/a/**/b/**/c"}, "/a/x/b/y/b/z/c/d", true},
      {{"/a/**/b/**/c"}, "/a/x/c/y/b", false},
      {{"a/**/**/b"}, "/a/b", true},
      {{"/a/**/b/c"}, "/a/b/b/c", true},
      {{"/a/**/b/c"}, "/a/b/x/b/c", true},
      {{"foo/**/*.c"}, "/foo/x/y.c", true},
  });
}

TEST(PatternList, LetsTheLastMatchDecide) {
  const Patterns home = {"/h/*", "!/h/Documents", "!/h/code", "*~", "node_modules"};
  expect({
      {home, "/h", false},
      {home, "/h/Music", true},
      {home, "/h/Documents", false},
      {home, "/h/Documents/a/b", false},
      {home, "/h/Documents/a~", true},
      {home, "/h/code/node_modules/x", true},
      {{"!foo"}, "/foo", false},
      {{"!foo", "foo"}, "/foo", true},
      {{"foo", "!foo"}, "/foo", false},
      {{"*", "!/h/a", "/h/a/b"}, "/h/a/c", false},
      {{"*", "!/h/a", "/h/a/b"}, "/h/a/b", true},
      {{"!!foo", "foo"}, "/!foo", false},
  });
}

TEST(PatternList, IgnoresWhatSaysNothing) {
  EXPECT_TRUE(compile({}).empty());
  EXPECT_TRUE(compile({"", "!", ".", "./", "!.", "a/.."}).empty());
  expect({
      {{"foo/"}, "/foo", true},
      {{"foo//"}, "/foo/x", true},
      {{"/foo/"}, "/a/foo", false},
      {{"foo//bar"}, "/foo/bar", true},
      {{"./foo/./bar"}, "/x/foo/bar", true},
      {{"//foo"}, "/foo", true},
      {{"//foo"}, "/x/foo", false},
      {{"foo/x/../bar"}, "/foo/bar", true},
      {{"/../foo"}, "/foo", true},
      {{"../foo"}, "/foo", false},
      {{"foo"}, "//foo//x", true},
      {{}, "/foo", false},
  });
}

TEST(PatternList, RefusesWhatIsMalformed) {
  for (const char* pattern : {"[", "[a", "[]", "[]a]", "[^", "[^]", "[-]", "[a-]", "[a-", "[-a]", "[a/b]", "x[", "a\\",
                              "a\\/b", "[\\", "[a\\", "[a-\\", "ok/[", "!["}) {
    try {
      (void)compile({"fine", pattern});
      ADD_FAILURE() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::usage) << pattern;
      EXPECT_NE(std::string(pattern).find(error.subject()), std::string::npos) << pattern;
      EXPECT_FALSE(error.subject().empty());
    }
  }
}

TEST(PatternList, IgnoresCaseOfAsciiWhenAsked) {
  expect(
      {
          {{"Foo"}, "/fOO", true},
          {{"*.JPG"}, "/x.jpg", true},
          {{"*.jpg"}, "/X.JPG", true},
          {{"img*"}, "/IMG_1", true},
          {{"[a-c]x"}, "/BX", true},
          {{"[A-C]x"}, "/bX", true},
          {{"[^a]"}, "/A", false},
          {{"a*B?c"}, "/AxxbYC", true},
          {{"\\N"}, "/n", true},
          {{"\xc3\x84"}, "/\xc3\xa4", true},              // Ä, ä
          {{"*\xd0\xb6"}, "/x\xd0\x96", true},            // ж, Ж
          {{"[\xc3\x84]"}, "/\xc3", true},                // a class is of bytes all the same
          {{"\xe1\xba\x9e"}, "/\xc3\x9f", true},          // ẞ, ß: of another length
          {{"A\xff"}, "/a\xff", true},                    // no UTF-8
          {{"\xc3"}, "/\xe3", false},                     // nor Latin-1
          {{"\xed\xa0\x80" "A"}, "/\xed\xa0\x80" "a", true},  // a surrogate is none either
          {{"foo"}, "/fob", false},
          {{"/A/**/b"}, "/a/X/B/y", true},
      },
      Case::ignored);
  expect({{{"Foo"}, "/foo", false}, {{"[a-c]"}, "/B", false}});
}

TEST(PatternList, TakesAnyBytes) {
  expect({
      {{"\xff\xfe"}, "/\xff\xfe", true},
      {{"?"}, "/\xff", true},
      {{"*\x80"}, "/a\x80", true},
      {{"a\nb"}, "/a\nb", true},
      {{std::string("a\0b", 3)}, std::string("/a\0b", 4), true},
      {{std::string("a\0b", 3)}, "/a", false},
  });
}

TEST(PatternList, SaysWhereSomethingBelowCouldMatch) {
  const struct {
    Patterns patterns;
    std::string directory;
    bool may;
  } rows[] = {
      {{"/a/b/c"}, "/", true},
      {{"/a/b/c"}, "/a", true},
      {{"/a/b/c"}, "/a/b", true},
      {{"/a/b/c"}, "/a/b/c/d", true},
      {{"/a/b/c"}, "/x", false},
      {{"/a/b/c"}, "/a/x", false},
      {{"/a/*/c"}, "/a/x", true},
      {{"/a/*/c"}, "/a/x/d", false},
      {{"/a/**/c"}, "/a/x/y", true},
      {{"/a/**/c"}, "/b", false},
      {{"foo"}, "/a/b", true},
      {{"/a", "/b"}, "/b/x", true},
      {{"/a", "!/a/b"}, "/a/b", false},
      {{"/a", "!/a/b"}, "/a", true},
      {{"/a", "!/a/b", "/a/b/c"}, "/a/b", true},
      {{"!foo"}, "/a", false},
      {{}, "/", false},
      {{"/"}, "/a", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(compile(row.patterns).may_match_below(row.directory), row.may) << row.patterns.size() << ' ' << row.directory;
  }
}

TEST(PatternList, IncludesWhatLiesBelowAMatch) {
  const auto list = compile({"/a/b"});
  EXPECT_TRUE(list.matches_self_or_parent("/a/b"));
  EXPECT_TRUE(list.matches_self_or_parent("/a/b/c/d"));
  EXPECT_FALSE(list.matches_self_or_parent("/a"));
}

// Whatever matches must be findable from the root: every directory above it says that something below may match.
TEST(PatternList, NeverHidesAMatchFromASearch) {
  const std::vector<std::string> pieces = {"a", "b", "*", "**", "?", "[ab]"};
  const std::vector<std::string> names = {"a", "b", "ab"};
  unsigned seed = 1;
  const auto next = [&seed](std::size_t below) {
    seed = seed * 1103515245U + 12345U;
    return (seed >> 16) % below;
  };
  int matched = 0;
  for (int round = 0; round < 20000; ++round) {
    Patterns patterns;
    for (std::size_t n = 1 + next(3); n > 0; --n) {
      std::string pattern = next(3) == 0 ? "!" : "";
      if (next(2) == 0) pattern += '/';
      for (std::size_t k = 1 + next(4); k > 0; --k) pattern += pieces[next(pieces.size())] + '/';
      patterns.push_back(pattern);
    }
    std::vector<std::string> above = {"/"};
    std::string path;
    for (std::size_t k = 1 + next(5); k > 0; --k) above.push_back(path += '/' + names[next(names.size())]);
    const auto list = compile(patterns);
    if (!list.matches(path)) continue;
    ++matched;
    above.pop_back();
    for (const auto& directory : above) ASSERT_TRUE(list.may_match_below(directory)) << directory << " hides " << path;
  }
  EXPECT_GT(matched, 1000);
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// With matching that tries all stars these would outlast the sun.
TEST(PatternList, IsNotSlowedDownByManyStars) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(compile({repeated("*a", 120) + "b"}).matches('/' + std::string(255, 'a')));
  EXPECT_FALSE(compile({repeated("a*", 100000) + "b"}).matches('/' + std::string(255, 'a')));
  EXPECT_FALSE(compile({'/' + repeated("**/a/", 500) + "b"}).matches(repeated("/a", 1500)));
  EXPECT_FALSE(compile({'/' + repeated("**/*a*a*b/", 20)}).matches(repeated("/aaaaaaaaaaaaaaaaaaaaaaaa", 300)));
  EXPECT_TRUE(compile({repeated("**/", 10000) + "a"}).matches(repeated("/a", 1500)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace mbu::source
