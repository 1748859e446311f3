// A line is 8 bytes of the secret and 2 of a hash over the repository, the line's number and these bytes: 80 bits, 16 characters of Crockford's base 32
// (https://www.crockford.com/base32.html), which has no I, L, O and U. A line with mistakes passes with a chance of 2^-16; the owner's key in the config
// has the last word.
#include "keys/recovery_sheet.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "crypto/hash.hpp"
#include "mbu/types/error.hpp"

namespace mbu::keys {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLines = 4;
constexpr std::size_t kSecretInALine = 8;
constexpr std::size_t kCheck = 2;
constexpr std::size_t kBytesInALine = kSecretInALine + kCheck;
constexpr std::size_t kCharacters = 16;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kWidth = kCharacters + kCharacters / kGroup;  // with a blank or a line break behind each group

using Line = crypto::Secret<std::array<std::uint8_t, kBytesInALine>>;

void set_check(Line& line, std::size_t number, const RepositoryId& repository, MutableBytes check) {
  const std::array<std::uint8_t, 1> index{static_cast<std::uint8_t>(number)};
  const auto hash = crypto::derive("mbu v1 recovery sheet line", {repository.view(), index, ByteView(line.expose()).first(kSecretInALine)});
  for (std::size_t i = 0; i < kCheck; ++i) check[i] = hash.expose()[i];
}

// Five bits from bit `at` on.
unsigned digit_at(const Line& line, std::size_t at) {
  unsigned digit = 0;
  for (std::size_t bit = at; bit < at + 5; ++bit) digit = digit << 1U | (line.expose()[bit / 8] >> (7 - bit % 8) & 1U);
  return digit;
}

// The value of a character, nothing for what is skipped.
std::optional<unsigned> value_of(char given, std::size_t line) {
  char c = given >= 'a' && given <= 'z' ? static_cast<char>(given - 'a' + 'A') : given;
  if (c == ' ' || c == '-' || c == '\t' || c == '\r') return std::nullopt;
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto found = kDigits.find(c);
  if (found == std::string_view::npos) {
    throw Error(Code::wrong_password, "line " + std::to_string(line + 1) + " holds a character that no sheet has");
  }
  return static_cast<unsigned>(found);
}

std::string_view without_blanks_in_front(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
  return text;
}

// "2: …"
bool is_numbered(std::string_view text) {
  const auto line = without_blanks_in_front(text);
  return line.size() > 1 && line[0] >= '1' && line[0] <= '9' && line[1] == ':';
}

std::string_view without_number(std::string_view text, std::size_t line) {
  const std::string prefix = std::to_string(line + 1) + ':';
  text = without_blanks_in_front(text);
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text;
}

// The next line, taken off the front.
std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// Whether lines have numbers: then all others are not of the secret.
bool has_numbers(std::string_view rest) {
  while (!rest.empty()) {
    if (is_numbered(take_line(rest))) return true;
  }
  return false;
}

Line decode_line(std::string_view text, std::size_t number) {
  Line line;
  std::size_t bit = 0;
  for (const char c : without_number(text, number)) {
    const auto value = value_of(c, number);
    if (!value) continue;
    if (bit == kBytesInALine * 8) {
      throw Error(Code::wrong_password, "line " + std::to_string(number + 1) + " has more than sixteen characters");
    }
    for (int i = 4; i >= 0; --i, ++bit) {
      line.expose()[bit / 8] = static_cast<std::uint8_t>(line.expose()[bit / 8] | ((*value >> i & 1U) << (7 - bit % 8)));
    }
  }
  if (bit != kBytesInALine * 8) throw Error(Code::wrong_password, "line " + std::to_string(number + 1) + " has less than sixteen characters");
  return line;
}

}  // namespace

Password encode_recovery_sheet(const crypto::Key& root, const RepositoryId& repository) {
  crypto::Secret<std::array<char, kLines * kWidth>> text;
  char* to = text.expose().data();
  for (std::size_t number = 0; number < kLines; ++number) {
    Line line;
    for (std::size_t i = 0; i < kSecretInALine; ++i) line.expose()[i] = root.expose()[number * kSecretInALine + i];
    set_check(line, number, repository, MutableBytes(line.expose()).subspan(kSecretInALine));
    for (std::size_t i = 0; i < kCharacters; ++i) {
      *to++ = kDigits[digit_at(line, i * 5)];
      if (i % kGroup == kGroup - 1) *to++ = i + 1 == kCharacters ? '\n' : ' ';
    }
  }
  return Password::take(text.expose().data(), text.expose().size() - 1);
}

crypto::Key decode_recovery_sheet(const Password& text, const RepositoryId& repository) {
  auto rest = as_text(text.view());
  const bool numbered = has_numbers(rest);
  const auto counts = [&](std::string_view line) { return numbered ? is_numbered(line) : !without_blanks_in_front(line).empty(); };
  crypto::Key root;
  for (std::size_t number = 0; number < kLines;) {
    if (rest.empty()) throw Error(Code::wrong_password, "the sheet has four lines; here are " + std::to_string(number));
    const auto given = take_line(rest);
    if (!counts(given)) continue;
    Line line = decode_line(given, number);
    std::array<std::uint8_t, kCheck> check;
    set_check(line, number, repository, check);
    if (!std::ranges::equal(check, ByteView(line.expose()).subspan(kSecretInALine))) {
      throw Error(Code::wrong_password, "line " + std::to_string(number + 1) + " of the sheet has a mistake, or the sheet is another repository's");
    }
    for (std::size_t i = 0; i < kSecretInALine; ++i) root.expose()[number * kSecretInALine + i] = line.expose()[i];
    ++number;
  }
  while (!rest.empty()) {
    if (counts(take_line(rest))) throw Error(Code::wrong_password, "the sheet has four lines; here are more");
  }
  return root;
}

}  // namespace mbu::keys
