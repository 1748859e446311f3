#include "keys/recovery_sheet.hpp"

#include <gtest/gtest.h>

#include "../support/expect.hpp"
#include "base/bytes.hpp"
#include "base/random.hpp"

namespace mbu::keys {
namespace {

class Sheet : public ::testing::Test {
 protected:
  [[nodiscard]] std::string text() const { return std::string(as_text(encode_recovery_sheet(root_, id_).view())); }
  [[nodiscard]] crypto::Key read(std::string text) const { return decode_recovery_sheet(Password::take(text.data(), text.size()), id_); }
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
    refuses(wrong, "line " + std::to_string(line + 1) + " of the sheet has a mistake");
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

TEST_F(Sheet, IsOfOneRepository) {
  const auto good = text();
  id_ = random_identifier<RepositoryId>();
  refuses(good, "another repository");
}

}  // namespace
}  // namespace mbu::keys
