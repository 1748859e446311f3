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

// Takes "2:" off the front.
std::optional<int> take_number(std::string_view& text) {
  text = without_blanks_in_front(text);
  if (text.size() < 2 || text[0] < '1' || text[0] > '9' || text[1] != ':') return std::nullopt;
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

// Collects lines digit by digit.
class Lines {
 public:
  void begin(std::string name) {
    if (bit_ != 0) end();
    all_.push_back({std::move(name), {}});
  }
  void add(unsigned digit) {
    if (bit_ == kBytesInALine * 8) refuse(all_.back().name, "has more than sixteen characters");
    put_digit(all_.back().bytes, bit_, digit);
    bit_ += kBitsOfADigit;
  }
  [[nodiscard]] bool is_between() const noexcept { return bit_ == 0 || bit_ == kBytesInALine * 8; }
  void end() {
    if (!all_.empty() && bit_ != kBytesInALine * 8) refuse(all_.back().name, "has less than sixteen characters");
    bit_ = 0;
  }
  [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }
  [[nodiscard]] std::vector<CopiedLine> take() { return std::move(all_); }

 private:
  std::vector<CopiedLine> all_;
  std::size_t bit_ = 0;
};

}  // namespace

void write_line(const RecoveryLine& line, char* to) {
  for (std::size_t i = 0; i < kCharacters; ++i) {
    *to++ = kDigits[digit_at(line, i * kBitsOfADigit)];
    if (i % kGroup == kGroup - 1) *to++ = i + 1 == kCharacters ? '\n' : ' ';
  }
}

std::vector<CopiedLine> read_lines(std::string_view text) {
  const bool numbered = has_numbers(text);
  Lines lines;
  int sheet = 0;
  while (!text.empty()) {
    auto line = take_line(text);
    if (numbered) {
      const auto number = take_number(line);
      if (!number) continue;
      if (number == 1) ++sheet;
      lines.begin("line " + std::to_string(*number) + (sheet > 1 ? " of sheet " + std::to_string(sheet) : ""));
    }
    const auto before = lines.count();
    for (const char c : line) {
      if (is_skipped(c)) continue;
      if (!numbered && lines.is_between()) lines.begin("line " + std::to_string(lines.count() + 1));
      const auto value = value_of(c);
      if (!value) refuse("line " + std::to_string(std::max<std::size_t>(lines.count(), 1)), "holds a character that no sheet has");
      lines.add(*value);
    }
    if (!numbered && !lines.is_between() && lines.count() > before + 1) refuse("line " + std::to_string(before + 1), "has more than sixteen characters");
    if (numbered || !lines.is_between()) lines.end();
  }
  return lines.take();
}

}  // namespace mbu::keys
