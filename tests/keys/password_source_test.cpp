#include "keys/password_source.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "mbu/types/error.hpp"

namespace mbu::keys {
namespace {

std::string text_of(const Password& password) {
  const auto bytes = password.view();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Password password_of(std::string text) { return Password::take(text.data(), text.size()); }

// The code that obtaining ends with; fails the test when it does not throw.
Error failure(PasswordSources& sources, bool fresh = false) {
  try {
    (void)obtain_password(sources, fresh);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "a password was obtained";
  return Error(Code::failed, "");
}

class PasswordSource : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("mbu-password-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file_with(std::string_view bytes) const {
    const auto path = directory_ / "password";
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  std::filesystem::path directory_;
  PasswordSources sources_;
};

TEST_F(PasswordSource, TakeOverwritesWhatWasThere) {
  std::string text = "correct horse";
  const Password password = Password::take(text.data(), text.size());
  EXPECT_EQ(text, std::string(13, '\0'));
  EXPECT_EQ(text_of(password), "correct horse");
}

TEST_F(PasswordSource, PasswordsCompareByContent) {
  EXPECT_TRUE(password_of("a").equals(password_of("a")));
  EXPECT_FALSE(password_of("a").equals(password_of("b")));
  EXPECT_FALSE(password_of("a").equals(password_of("aa")));
  EXPECT_TRUE(password_of("").equals(password_of("")));
  EXPECT_TRUE(password_of("a").clone().equals(password_of("a")));
}

TEST_F(PasswordSource, GivenComesBeforeAllOthers) {
  sources_.given = password_of("given");
  sources_.file = file_with("file\n");
  sources_.command = "echo command";
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "given");
  EXPECT_FALSE(sources_.given.has_value());
}

TEST_F(PasswordSource, FileComesBeforeCommandAndPrompt) {
  sources_.file = file_with("file\n");
  sources_.command = "echo command";
  sources_.prompt = [](bool) { return password_of("prompt"); };
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "file");
}

TEST_F(PasswordSource, CommandComesBeforeDescriptorAndPrompt) {
  sources_.command = "echo command; echo more";
  sources_.descriptor = 1;
  sources_.prompt = [](bool) { return password_of("prompt"); };
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "command");
}

TEST_F(PasswordSource, PromptIsToldWhetherItIsFresh) {
  sources_.prompt = [](bool fresh) { return password_of(fresh ? "new" : "old"); };
  EXPECT_EQ(text_of(obtain_password(sources_, true)), "new");
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "old");
}

TEST_F(PasswordSource, OnlyTheFirstLineCounts) {
  for (const std::string_view content : {"secret", "secret\n", "secret\r\n", "secret\nmore\n"}) {
    sources_.file = file_with(content);
    EXPECT_EQ(text_of(obtain_password(sources_, false)), "secret") << content;
  }
}

TEST_F(PasswordSource, SpacesAndOddBytesAreKept) {
  sources_.file = file_with(" a\tb\xff\r c \n");
  EXPECT_EQ(text_of(obtain_password(sources_, false)), " a\tb\xff\r c ");
}

TEST_F(PasswordSource, DescriptorIsReadUpToTheEndOfTheLineOnly) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "one\ntwo\n", 8), 8);
  sources_.descriptor = ends[0];
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "one");
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "two");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(PasswordSource, MissingFileIsNamed) {
  sources_.file = (directory_ / "absent").string();
  const Error error = failure(sources_);
  EXPECT_EQ(error.code(), Code::wrong_password);
  EXPECT_EQ(error.subject(), sources_.file);
}

TEST_F(PasswordSource, ClosedDescriptorIsNamed) {
  sources_.descriptor = 987;
  const Error error = failure(sources_);
  EXPECT_EQ(error.code(), Code::wrong_password);
  EXPECT_EQ(error.subject(), "descriptor 987");
}

TEST_F(PasswordSource, FailingCommandTellsItsStatus) {
  sources_.command = "echo secret; exit 7";
  const Error error = failure(sources_);
  EXPECT_EQ(error.code(), Code::wrong_password);
  EXPECT_NE(error.happened().find("status 7"), std::string::npos);
}

TEST_F(PasswordSource, CommandThatWritesMuchIsReadToItsEnd) {
  sources_.command = "echo secret; head -c 1000000 /dev/zero";
  EXPECT_EQ(text_of(obtain_password(sources_, false)), "secret");
}

TEST_F(PasswordSource, EmptyIsRefusedForANewRepositoryOnly) {
  sources_.file = file_with("\n");
  EXPECT_EQ(failure(sources_, true).code(), Code::wrong_password);
  EXPECT_TRUE(obtain_password(sources_, false).empty());
}

TEST_F(PasswordSource, TooLongALineIsRefused) {
  sources_.file = file_with(std::string(kLongestPassword, 'x') + "\r\n");
  EXPECT_EQ(obtain_password(sources_, false).view().size(), kLongestPassword);
  sources_.file = file_with(std::string(kLongestPassword + 1, 'x') + "\n");
  EXPECT_EQ(failure(sources_).code(), Code::wrong_password);
  sources_.file = file_with(std::string(3 * kLongestPassword, 'x'));
  EXPECT_EQ(failure(sources_).code(), Code::wrong_password);
}

TEST_F(PasswordSource, NothingListsTheSources) {
  const Error error = failure(sources_);
  EXPECT_EQ(error.code(), Code::wrong_password);
  for (const char* source : {"-p", "--password-file", "--password-command", "--password-fd", "MBU_PASSWORD"}) {
    EXPECT_NE(error.next().find(source), std::string::npos) << source;
  }
}

}  // namespace
}  // namespace mbu::keys
