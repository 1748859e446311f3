#include "keys/recovery_sheet.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "../support/expect.hpp"
#include "base/bytes.hpp"
#include "base/random.hpp"

namespace mbu::keys {
namespace {

class Sheet : public ::testing::Test {
 protected:
  [[nodiscard]] std::string text() const { return std::string(as_text(encode_recovery_sheet(root_, id_).view())); }
  [[nodiscard]] crypto::Key read(std::string text) const { return read_all({std::move(text)}); }
  [[nodiscard]] crypto::Key read_all(std::vector<std::string> texts) const { return decode_recovery_sheets(passwords(std::move(texts)), id_); }
  // What is missing, when these lines are all that is there yet.
  [[nodiscard]] std::string missing_of(std::string text) const { return read_recovery_sheets(passwords({std::move(text)}), id_).missing; }
  [[nodiscard]] static std::vector<Password> passwords(std::vector<std::string> texts) {
    std::vector<Password> parts;
    for (auto& text : texts) parts.push_back(Password::take(text.data(), text.size()));
    return parts;
  }
  void refuses(const std::string& text, const std::string& why) const {
    test::expect_error(Code::wrong_password, why, [&] { (void)read(text); });
  }

  crypto::Key root_ = crypto::random_key();
  RepositoryId id_ = random_identifier<RepositoryId>();
};

TEST_F(Sheet, HasFourLinesOfFourGroups) {
  EXPECT_EQ(text().size(), 4 * 20U - 1);
  EXPECT_EQ(std::ranges::count(text(), '\n'), 3);
  EXPECT_EQ(std::ranges::count(text(), ' '), 12);
}

TEST_F(Sheet, ComesBack) {
  for (int i = 0; i < 100; ++i) {
    root_ = crypto::random_key();
    EXPECT_EQ(read(text()).expose(), root_.expose());
  }
}

TEST_F(Sheet, ForgivesHowItIsWritten) {
  std::string sloppy = "\n ";
  for (const char c : text()) {
    if (c == ' ') continue;
    sloppy += c == '0' ? 'o' : c == '1' ? 'l' : static_cast<char>(std::tolower(c));
    if (c == '\n') sloppy += "\r\n  ";
    if (c != '\n') sloppy += '-';
  }
  EXPECT_EQ(read(sloppy + "\n\n").expose(), root_.expose());
}

TEST_F(Sheet, PassesOverWhatStandsAroundNumberedLines) {
  const auto good = text();
  std::string printed = "A heading\n\n";
  for (int i = 0; i < 4; ++i) printed += "  " + std::to_string(i + 1) + ": " + good.substr(static_cast<std::size_t>(i) * 20, 19) + "\n";
  EXPECT_EQ(read(printed + "\nTo use it: type it\n").expose(), root_.expose());
}

TEST_F(Sheet, NamesTheLineWithTheMistake) {
  for (int line = 0; line < 4; ++line) {
    auto wrong = text();
    auto& c = wrong[static_cast<std::size_t>(line * 20 + 7)];
    c = c == 'A' ? 'B' : 'A';
    refuses(wrong, "line " + std::to_string(line + 1) + " has a mistake");
  }
}

TEST_F(Sheet, NoticesExchangedLines) {
  const auto good = text();
  refuses(good.substr(20, 20) + good.substr(0, 20) + good.substr(40), "line 1 ");
}

TEST_F(Sheet, RefusesWhatIsNoSheet) {
  const auto good = text();
  refuses("", "here are 0");
  refuses(good.substr(0, 40), "here are 2");
  refuses(good + "\n" + good, "here are more");
  refuses(good.substr(0, 18) + good.substr(19), "less than sixteen");
  refuses("A" + good, "more than sixteen");
  refuses("!" + good.substr(1), "a character");
}

TEST_F(Sheet, IsReadAsFarAsItGoes) {
  const auto good = text();
  EXPECT_EQ(missing_of(""), "the sheet has four lines; here are 0");
  EXPECT_EQ(missing_of(good.substr(0, 60)), "the sheet has four lines; here are 3");
  EXPECT_EQ(missing_of(good), "");
}

TEST_F(Sheet, IsOfOneRepository) {
  const auto good = text();
  id_ = random_identifier<RepositoryId>();
  refuses(good, "another repository");
}

TEST_F(Sheet, ComesBackFromOneLineAsItIsScanned) {
  auto scanned = text();
  std::erase_if(scanned, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_EQ(read(scanned).expose(), root_.expose());
}

class Shares : public Sheet {
 protected:
  [[nodiscard]] std::vector<std::string> make(unsigned needed, unsigned made) const {
    std::vector<std::string> texts;
    for (const auto& share : encode_recovery_shares(root_, id_, needed, made)) texts.push_back(std::string(as_text(share.view())) + '\n');
    return texts;
  }
};

TEST_F(Shares, AnyThatAreEnoughGiveTheWhole) {
  const auto all = make(3, 5);
  ASSERT_EQ(all.size(), 5U);
  for (std::size_t a = 0; a < 5; ++a) {
    for (std::size_t b = 0; b < 5; ++b) {
      if (b == a) continue;
      refuses(all[a] + all[b], "3 sheets are needed together; here are 2");
      for (std::size_t c = 0; c < 5; ++c) {
        if (c == a || c == b) continue;
        EXPECT_EQ(read(all[a] + all[b] + "\n" + all[c]).expose(), root_.expose());
      }
    }
  }
  EXPECT_EQ(read(all[0] + all[1] + all[2] + all[3] + all[4]).expose(), root_.expose()) << "more than enough";
}

TEST_F(Shares, OfManySizes) {
  for (const auto& [needed, made] : {std::pair(2U, 2U), {2U, 3U}, {5U, 5U}, {2U, kMostShares}, {kMostShares, kMostShares}}) {
    const auto all = make(needed, made);
    std::string text;
    for (unsigned i = 0; i < needed; ++i) text += all[made - 1 - i];
    EXPECT_EQ(read(text).expose(), root_.expose()) << needed << " of " << made;
  }
}

// What a share says must not depend on the secret alone: else fewer shares than are needed would say something.
TEST_F(Shares, AreDifferentEachTime) {
  const auto once = make(2, 2), again = make(2, 2);
  EXPECT_NE(once[0], again[0]);
  EXPECT_EQ(once[0].find(text().substr(0, 15)), std::string::npos);
  refuses(once[0] + again[1], "different sets");
}

TEST_F(Shares, OfSeveralKeepersNeedNotLookAlike) {
  const auto all = make(3, 3);
  std::string numbered, scanned = "QR-Code:";
  for (std::size_t i = 0; i < 5; ++i) numbered += std::to_string(i + 1) + ". " + all[0].substr(i * 20, 20);
  for (const char c : all[1]) {
    if (c != ' ' && c != '\n') scanned += c;
  }
  EXPECT_EQ(read_all({"A heading\n" + numbered + "and more\n", scanned, all[2]}).expose(), root_.expose());
  std::vector<std::string> typed;
  for (const auto& share : all) {
    for (std::size_t i = 0; i < 5; ++i) typed.push_back((i % 2 ? std::to_string(i + 1) + ":" : "") + share.substr(i * 20, 20));
  }
  EXPECT_EQ(read_all(typed).expose(), root_.expose());
}

TEST_F(Shares, NameWhatIsWrong) {
  const auto all = make(2, 3);
  refuses(all[0], "2 sheets are needed together; here are 1");
  refuses(all[0] + all[0], "sheet 2 is here twice");
  refuses(all[0].substr(0, 80) + all[1], "line 5 has a mistake");
  refuses(all[0] + all[1].substr(0, 60), "sheet 2 has five lines; here are 3");
  auto wrong = all[0];
  wrong[0] = wrong[0] == '1' ? '2' : '1';
  refuses(wrong, "line 1 has a mistake");
  std::string numbered;
  for (int sheet = 0; sheet < 2; ++sheet) {
    for (std::size_t i = 0; i < 5; ++i) numbered += std::to_string(i + 1) + ": " + all[0].substr(i * 20, 20);
  }
  numbered[5 * 23 + 2 * 23 + 4] = numbered[5 * 23 + 2 * 23 + 4] == '1' ? '2' : '1';
  refuses(numbered, "line 3 of sheet 2 has a mistake");
  test::expect_error(Code::usage, "from 2", [&] { (void)make(1, 3); });
  test::expect_error(Code::usage, "from 2", [&] { (void)make(4, 3); });
  test::expect_error(Code::usage, "255", [&] { (void)make(2, 256); });
}

TEST_F(Shares, AreReadAsFarAsTheyGo) {
  const auto all = make(2, 3);
  EXPECT_EQ(missing_of(all[2].substr(0, 20)), "sheet 1 has five lines; here are 1");
  EXPECT_EQ(missing_of(all[2]), "2 sheets are needed together; here are 1");
  EXPECT_EQ(missing_of(all[2] + all[0].substr(0, 80)), "sheet 2 has five lines; here are 4");
  EXPECT_EQ(missing_of(all[2] + all[0]), "");
  refuses(all[2] + all[2].substr(0, 20), "sheet 2 is here twice");
  auto wrong = all[2] + all[0].substr(0, 60);
  auto& c = wrong[140];
  c = c == '1' ? '2' : '1';
  refuses(wrong, "line 8 has a mistake");
}

TEST_F(Shares, AreOfOneRepository) {
  const auto all = make(2, 2);
  id_ = random_identifier<RepositoryId>();
  refuses(all[0] + all[1], "another repository");
}

}  // namespace
}  // namespace mbu::keys
