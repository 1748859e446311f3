#include "source/gitignore.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace mbu::source {
namespace {

std::shared_ptr<const IgnoreRules> rules(std::string_view text, const std::string& directory = "/r",
                                         std::shared_ptr<const IgnoreRules> above = nullptr) {
  return IgnoreRules::parse(text, directory, std::move(above));
}

struct Row {
  std::string text;
  std::string path;  // below /r; a slash at the end: a directory
  bool ignored;
};

void expect(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    std::string path = "/r/" + row.path;
    const bool directory = path.ends_with('/');
    if (directory) path.pop_back();
    EXPECT_EQ(rules(row.text)->ignores(path, directory), row.ignored) << '"' << row.text << "\" on " << row.path;
  }
}

TEST(IgnoreRules, PassOverCommentsAndBlankLines) {
  expect({
      {"", "a", false},
      {"\n\n  \n", " ", false},
      {"# a\na", "a", true},
      {"#a", "#a", false},
      {"\\#a", "#a", true},
      {" #a", " #a", true},
      {"a\r\nb\r\n", "a", true},
      {"a\r\nb\r\n", "b", true},
      {"a\r", "a", true},
      {"\r\n", "\r", false},
      {"\xef\xbb\xbf"
       "a",
       "a", true},
      {"a", "a", true},
  });
}

TEST(IgnoreRules, TrimTrailingSpacesUnlessEscaped) {
  expect({
      {"a  ", "a", true},
      {"a  ", "a  ", false},
      {"a\\ ", "a ", true},
      {"a\\  ", "a ", true},
      {"a\\ \\ ", "a  ", true},
      {"a b ", "a b", true},
      {"a\t", "a", false},
      {"a\t", "a\t", true},
      {" a", " a", true},
      {" a", "a", false},
      {"a/  ", "a/", true},
      {"a \\", "a \\", false},
  });
}

TEST(IgnoreRules, MatchNamesWithoutSlashAtAnyDepth) {
  expect({
      {"a", "a", true},
      {"a", "x/y/a", true},
      {"a", "a/x", false},
      {"a", "ab", false},
      {"*.o", "x/y.o", true},
      {"**", "x/y", true},
      {"f**r", "x/foobar", true},
      {"f**r", "f/r", false},
      {"*", ".hidden", true},
      {"?", "x/y", true},
  });
}

TEST(IgnoreRules, TieAPatternWithSlashToTheirDirectory) {
  expect({
      {"/a", "a", true},
      {"/a", "x/a", false},
      {"a/b", "a/b", true},
      {"a/b", "x/a/b", false},
      {"a/b", "a/b/c", false},
      {"/*.c", "x.c", true},
      {"/*.c", "x/y.c", false},
      {"a/*", "a/b", true},
      {"a/*", "a/b/c", false},
      {"a\\/b", "a/b", true},
      {"//a", "a", false},
      {"a//b", "a/b", false},
      {"/", "a", false},
      {"/", "a/", false},
  });
}

TEST(IgnoreRules, MatchOnlyDirectoriesWithASlashAtTheEnd) {
  expect({
      {"a/", "a/", true},
      {"a/", "a", false},
      {"a/", "x/a/", true},
      {"/a/", "x/a/", false},
      {"a/b/", "a/b/", true},
      {"a/b/", "a/b", false},
      {"**/", "x/y/", true},
      {"**/", "x/y", false},
      {"a//", "a/", false},
  });
}

TEST(IgnoreRules, LetDoubleStarsCrossDirectories) {
  expect({
      {"**/a", "a", true},
      {"**/a", "x/y/a", true},
      {"**/a/b", "x/a/b", true},
      {"**/a/b", "x/a/y/b", false},
      {"a/**", "a/b", true},
      {"a/**", "a/b/c", true},
      {"a/**", "a/", false},
      {"a/**", "x/a/b", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/xb", false},
      {"a/**/b", "a/x/y", false},
      {"/**", "a", true},
      {"/**", "a/b", true},
      {"/**/", "a/b/", true},
      {"/**/", "a/b", false},
      {"***/a", "x/y/a", true},
      {"a/**b", "a/x/b", false},
      {"/a**", "a/b", false},
      {"a/**/**/b", "a/b", true},
      {"a/**/*", "a/x/y", true},
  });
}

TEST(IgnoreRules, KnowGitsClasses) {
  expect({
      {"[a-c]", "b", true},
      {"[!a]", "b", true},
      {"[!a]", "a", false},
      {"[^a]", "a", false},
      {"[]a]", "]", true},
      {"[!]a]", "]", false},
      {"[!]a]", "b", true},
      {"[a-]", "-", true},
      {"[-a]", "-", true},
      {"[a\\]b]", "]", true},
      {"[\\a-c]", "b", true},
      {"[a-\\c]", "b", true},
      {"[c-a]", "c", true},
      {"[c-a]", "b", false},
      {"[c-a]", "a", false},
      {"[[:digit:]]x", "7x", true},
      {"[[:digit:]]x", "ax", false},
      {"[![:space:][:upper:]_]", "a", true},
      {"[![:space:][:upper:]_]", "A", false},
      {"[![:space:][:upper:]_]", "_", false},
      {"[[:xdigit:]]", "f", true},
      {"[[:xdigit:]]", "g", false},
      {"[[:punct:]]", "!", true},
      {"[[:alnum:]]", "\xe4", false},
      {"[[:nonsense:]]", "n", false},
      {"[[:]", ":", true},
      {"[[:a]", "[", true},
      {"[x/]k", "xk", true},
      {"[x/]k", "y/xk", false},
      {"a[/]b", "a/b", false},
      {"a[!x]b", "a/b", false},
  });
}

TEST(IgnoreRules, TakeEscapedCharactersAsThemselves) {
  expect({
      {"\\!a", "!a", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\a", "a", true},
      {"a\\\\b", "a\\b", true},
      {"x/\\*\\*", "x/y", false},
      {"x/\\*\\*", "x/**", true},
  });
}

TEST(IgnoreRules, MatchNothingByAMalformedLine) {
  expect({
      {"[a", "[a", false},
      {"[a\nb", "b", true},
      {"a\\", "a\\", false},
      {"a\\", "a", false},
      {"a\\/", "a/", false},
      {"[", "[", false},
      {"[]", "]", false},
      {"[[:alpha:]", "a", false},
      {"x/[a", "x/[a", false},
      {"[!", "!", false},
      {"[a-", "a", false},
      {"!", "!", false},
      {std::string("a\0b", 3), "a", false},
      {"\xff*\n\x80", "\xff\xfe", true},
  });
}

TEST(IgnoreRules, LetTheLastMatchDecide) {
  expect({
      {"*.o\n!keep.o", "keep.o", false},
      {"*.o\n!keep.o", "x.o", true},
      {"!keep.o\n*.o", "keep.o", true},
      {"a\n!a\na", "a", true},
      {"a\n!a/", "a", true},
      {"a\n!a/", "a/", false},
      {"/*\n!/foo\n/foo/*\n!/foo/bar", "foo/", false},
      {"/*\n!/foo\n/foo/*\n!/foo/bar", "foo/bar", false},
      {"/*\n!/foo\n/foo/*\n!/foo/bar", "foo/x", true},
      {"/*\n!/foo\n/foo/*\n!/foo/bar", "y", true},
  });
}

TEST(IgnoreRules, LetTheDeepestFileDecide) {
  const auto top = rules("*.log\n!important.log\n/sub/x\n/only");
  const auto sub = rules("!debug.log\nimportant.log\n/only\n", "/r/sub", top);
  const auto deep = rules("", "/r/sub/deep", sub);
  EXPECT_TRUE(top->ignores("/r/debug.log", false));
  EXPECT_FALSE(top->ignores("/r/important.log", false));
  EXPECT_FALSE(sub->ignores("/r/sub/debug.log", false));
  EXPECT_TRUE(sub->ignores("/r/sub/other.log", false));
  EXPECT_TRUE(sub->ignores("/r/sub/important.log", false));
  EXPECT_TRUE(sub->ignores("/r/sub/x", false));
  EXPECT_TRUE(sub->ignores("/r/sub/only", false));
  EXPECT_FALSE(deep->ignores("/r/sub/deep/debug.log", false));
  EXPECT_TRUE(deep->ignores("/r/sub/deep/other.log", false));
  EXPECT_FALSE(deep->ignores("/r/sub/deep/only", false));
  EXPECT_FALSE(deep->ignores("/r/sub/deep/x", false));
}

TEST(IgnoreRules, CountOnlyBelowTheirDirectory) {
  const auto own = rules("a\n/b", "/r");
  EXPECT_FALSE(own->ignores("/ra", false));
  EXPECT_FALSE(own->ignores("/x/a", false));
  EXPECT_FALSE(own->ignores("/r", true));
  EXPECT_FALSE(own->ignores("/r/", true));
  EXPECT_FALSE(own->ignores("", true));
  const auto root = rules("a\n/b", "/");
  EXPECT_TRUE(root->ignores("/b", false));
  EXPECT_TRUE(root->ignores("/x/a", false));
  EXPECT_FALSE(root->ignores("/x/b", false));
}

TEST(IgnoreRules, SurviveHostileFiles) {
  const auto start = std::chrono::steady_clock::now();
  std::string stars;
  for (int i = 0; i < 100000; ++i) stars += "a*";
  std::string crossing;
  for (int i = 0; i < 10000; ++i) crossing += "**/a*a*b/";
  const std::string name(255, 'a');
  const auto hostile = rules(stars + "b\n" + crossing + "b\n" + std::string(100000, '[') + '\n' + std::string(100000, '\\'));
  std::string path = "/r";
  for (int i = 0; i < 500; ++i) path += "/aaaa";
  EXPECT_FALSE(hostile->ignores("/r/" + name, false));
  EXPECT_FALSE(hostile->ignores(path, true));
  // Any bytes at all parse.
  std::string noise;
  unsigned seed = 7;
  for (int i = 0; i < 200000; ++i) {
    seed = seed * 1103515245U + 12345U;
    noise += "[]!^-\\*?/ \n\r#ab:\0\xff"[(seed >> 16) % 18];
  }
  const auto noisy = rules(noise);
  for (const char* p : {"/r/a", "/r/a/b", "/r/[", "/r/ab/ba/a"}) (void)noisy->ignores(p, true);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace mbu::source
