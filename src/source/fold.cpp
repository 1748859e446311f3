#include "source/fold.hpp"

#include <locale.h>
#include <wctype.h>

#include <cstdint>

namespace mbu::source {
namespace {

// Null where the machine has none: then only ASCII has case. Lives as long as the program.
locale_t utf8_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

struct Decoded {
  char32_t letter = 0;
  std::size_t size = 0;  // bytes; 0: no UTF-8
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc2 ? 2 : 0;
  if (size == 0 || byte(0) > 0xf4 || text.size() < size) return {};
  char32_t letter = byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    letter = letter << 6 | (byte(i) & 0x3fU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = letter >= 0xd800 && letter < 0xe000;
  if (letter < kLeast[size] || letter > 0x10ffff || surrogate) return {};
  return {letter, size};
}

void append_utf8(std::string& to, char32_t letter) {
  const auto add = [&](char32_t bits) { to += static_cast<char>(bits); };
  if (letter < 0x80) return add(letter);
  if (letter < 0x800) {
    add(0xc0 | letter >> 6);
  } else {
    if (letter < 0x10000) {
      add(0xe0 | letter >> 12);
    } else {
      add(0xf0 | letter >> 18);
      add(0x80 | (letter >> 12 & 0x3f));
    }
    add(0x80 | (letter >> 6 & 0x3f));
  }
  add(0x80 | (letter & 0x3f));
}

}  // namespace

std::string to_lower(std::string_view name) {
  std::string lower;
  lower.reserve(name.size());
  for (std::size_t at = 0; at < name.size();) {
    const char c = name[at];
    const auto decoded = static_cast<std::uint8_t>(c) < 0x80 ? Decoded{} : decode(name.substr(at));
    if (decoded.size == 0 || utf8_locale() == nullptr) {
      lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      ++at;
      continue;
    }
    append_utf8(lower, static_cast<char32_t>(::towlower_l(static_cast<wint_t>(decoded.letter), utf8_locale())));
    at += decoded.size;
  }
  return lower;
}

}  // namespace mbu::source
