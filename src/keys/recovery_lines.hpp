// Lines of secrets on paper: ten bytes as sixteen characters that people copy by hand. Pure functions; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret.hpp"

namespace mbu::keys {

inline constexpr std::size_t kBytesInALine = 10;
inline constexpr std::size_t kLineWidth = 20;  // "K7QD 0M2X 9FZ4 PW1A" and a line break
using RecoveryLine = crypto::Secret<std::array<std::uint8_t, kBytesInALine>>;

// Sixteen digits of Crockford's base 32 (https://www.crockford.com/base32.html), which has no I, L, O and U, in groups of four. `to` has room for
// kLineWidth characters.
void write_line(const RecoveryLine& line, char* to);

struct CopiedLine {
  std::string name;  // for people: "line 3", "line 3 of sheet 2"
  RecoveryLine bytes;
};

// Reads what was copied, scanned or printed, one text after the other. Either case, O for 0, I and L for 1; blanks, dashes and empty lines are skipped.
// When some lines of a text are numbered ("1:" or "1."), its others do not count; when none are, sixteen characters follow each other, however they
// are broken into lines. One thread.
class LineReader {
 public:
  // Throws Code::wrong_password naming the line that is wrong.
  void read(std::string_view text);
  [[nodiscard]] std::vector<CopiedLine> take() { return std::move(lines_); }

 private:
  std::vector<CopiedLine> lines_;
  int sheets_ = 0;  // that began with a line 1
};

}  // namespace mbu::keys
