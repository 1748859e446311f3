#include "escape.hpp"

#include <fmt/format.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mbu::cli {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t length = 1;  // in bytes
  bool valid = false;
};

// The first character of `bytes` by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
Character first_character(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return {};
  char32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, length, true};
}

// Controls (C0, DEL, C1), line and paragraph separators, and what changes the direction of text.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff;
}

template <class Visit>
void for_each_character(std::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    const Character character = first_character(bytes);
    visit(character, bytes.substr(0, character.length));
    bytes.remove_prefix(character.length);
  }
}

bool is_plain(std::string_view bytes) {
  bool plain = true;
  for_each_character(bytes, [&](const Character& c, std::string_view) { plain = plain && c.valid && !is_unsafe(c.code); });
  return plain;
}

std::string escape_sequence(const Character& character, std::string_view bytes) {
  if (character.valid && character.code == '\n') return "\\n";
  if (character.valid && character.code == '\t') return "\\t";
  if (character.valid && character.code == '\r') return "\\r";
  if (character.valid && character.code >= 0x100) return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.code));
  std::string text;
  for (const char c : bytes) text += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
  return text;
}

}  // namespace

std::string printable(std::string_view bytes) {
  if (is_plain(bytes)) return std::string(bytes);
  std::string text;
  for_each_character(bytes, [&](const Character& character, std::string_view raw) {
    if (!character.valid || is_unsafe(character.code)) {
      text += escape_sequence(character, raw);
    } else {
      text += character.code == '\\' ? "\\\\" : std::string(raw);
    }
  });
  return text;
}

std::string shell_word(std::string_view bytes) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!bytes.empty() && bytes.find_first_not_of(kSafe) == std::string_view::npos) return std::string(bytes);
  std::string word;
  if (is_plain(bytes)) {
    for (const char c : bytes) word += c == '\'' ? "'\\''" : std::string(1, c);
    return '\'' + word + '\'';
  }
  for_each_character(bytes, [&](const Character& character, std::string_view raw) {
    const bool unsafe = !character.valid || is_unsafe(character.code);
    if (unsafe) {
      for (const char c : raw) word += fmt::format("\\{:03o}", static_cast<std::uint8_t>(c));
    } else {
      word += raw == "\\" ? "\\\\" : raw == "'" ? "\\'" : std::string(raw);
    }
  });
  return "$'" + word + '\'';
}

bool is_utf8(std::string_view bytes) {
  bool valid = true;
  for_each_character(bytes, [&](const Character& character, std::string_view) { valid = valid && character.valid; });
  return valid;
}

std::string lossy_utf8(std::string_view bytes) {
  std::string text;
  for_each_character(bytes, [&](const Character& character, std::string_view raw) {
    text += character.valid ? std::string(raw) : "\xef\xbf\xbd";
  });
  return text;
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = (group << 8) | (j < count ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[(group >> (18 - 6 * j)) & 63] : '=';
  }
  return text;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for_each_character(text, [&](const Character& character, std::string_view) {
    const int width = ::wcwidth(static_cast<wchar_t>(character.code));
    columns += width < 0 ? 1 : static_cast<std::size_t>(width);
  });
  return columns;
}

std::string fitted(const std::string& text, std::size_t columns) {
  if (columns_of(text) <= columns) return text;
  if (columns < 4) return {};
  std::vector<std::string_view> characters;
  for_each_character(text, [&](const Character&, std::string_view raw) { characters.push_back(raw); });
  std::string tail;
  std::size_t used = 1;  // the ellipsis
  for (auto it = characters.rbegin(); it != characters.rend(); ++it) {
    const std::size_t width = columns_of(*it);
    if (used + width > columns) break;
    used += width;
    tail.insert(0, *it);
  }
  return "\u2026" + tail;
}

}  // namespace mbu::cli
