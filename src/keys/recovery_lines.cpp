#include "keys/recovery_lines.hpp"

#include <algorithm>
#include <optional>

#include "mbu/types/error.hpp"

namespace mbu::keys {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kBitsOfADigit = 5;
constexpr std::size_t kCharacters = kBytesInALine * 8 / kBitsOfADigit;
constexpr std::size_t kGroup = 4;
constexpr std::string_view kScanned = "QR-Code:";  // as zbarimg begins
static_assert(kLineWidth == kCharacters + kCharacters / kGroup);

// Five bits from bit `at` on.
unsigned digit_at(const RecoveryLine& line, std::size_t at) {
  unsigned digit = 0;
  for (std::size_t bit = at; bit < at + kBitsOfADigit; ++bit) digit = digit << 1U | (line.expose()[bit / 8] >> (7 - bit % 8) & 1U);
  return digit;
}

void put_digit(RecoveryLine& line, std::size_t at, unsigned digit) {
  for (std::size_t i = 0; i < kBitsOfADigit; ++i) {
    const std::size_t bit = at + i;
    line.expose()[bit / 8] = static_cast<std::uint8_t>(line.expose()[bit / 8] | (digit >> (kBitsOfADigit - 1 - i) & 1U) << (7 - bit % 8));
  }
}

bool is_skipped(char c) noexcept { return c == ' ' || c == '-' || c == '\t' || c == '\r'; }

std::optional<unsigned> value_of(char given) noexcept {
  char c = given >= 'a' && given <= 'z' ? static_cast<char>(given - 'a' + 'A') : given;
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto found = kDigits.find(c);
  return found == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(found));
}

std::string_view without_blanks_in_front(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
  return text;
}

// Takes "2:" or "2." off the front.
std::optional<int> take_number(std::string_view& text) {
  text = without_blanks_in_front(text);
  if (text.size() < 2 || text[0] < '1' || text[0] > '9' || (text[1] != ':' && text[1] != '.')) return std::nullopt;
  const int number = text[0] - '0';
  text.remove_prefix(2);
  return number;
}

// The next line, taken off the front.
std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

bool has_numbers(std::string_view rest) {
  while (!rest.empty()) {
    auto line = take_line(rest);
    if (take_number(line)) return true;
  }
  return false;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) { throw Error(Code::wrong_password, name + ' ' + what); }

// Puts digits into a line, one after the other.
class Digits {
 public:
  explicit Digits(CopiedLine& line) : line_(line) {}
  [[nodiscard]] bool are_complete() const noexcept { return bit_ == kBytesInALine * 8; }
  void add(unsigned digit) {
    put_digit(line_.bytes, bit_, digit);
    bit_ += kBitsOfADigit;
  }

 private:
  CopiedLine& line_;
  std::size_t bit_ = 0;
};

}  // namespace

void write_line(const RecoveryLine& line, char* to) {
  for (std::size_t i = 0; i < kCharacters; ++i) {
    *to++ = kDigits[digit_at(line, i * kBitsOfADigit)];
    if (i % kGroup == kGroup - 1) *to++ = i + 1 == kCharacters ? '\n' : ' ';
  }
}

void LineReader::read(std::string_view text) {
  const bool numbered = has_numbers(text);
  while (!text.empty()) {
    auto written = take_line(text);
    const auto number = take_number(written);
    if (numbered && !number) continue;
    if (number == 1) ++sheets_;
    if (!numbered && written.starts_with(kScanned)) written.remove_prefix(kScanned.size());
    if (std::ranges::all_of(written, is_skipped)) continue;

    const std::string first = number ? "line " + std::to_string(*number) + (sheets_ > 1 ? " of sheet " + std::to_string(sheets_) : "")
                                     : "line " + std::to_string(lines_.size() + 1);
    std::optional<Digits> digits;
    for (const char c : written) {
      if (is_skipped(c)) continue;
      const auto value = value_of(c);
      if (!value) refuse(first, "holds a character that no sheet has");
      if (!digits || digits->are_complete()) {
        if (digits && numbered) refuse(first, "has more than sixteen characters");
        lines_.push_back({number ? first : "line " + std::to_string(lines_.size() + 1), {}});
        digits.emplace(lines_.back());
      }
      digits->add(*value);
    }
    if (digits->are_complete()) continue;
    refuse(first, lines_.back().name == first ? "has less than sixteen characters" : "has more than sixteen characters");
  }
}

}  // namespace mbu::keys
