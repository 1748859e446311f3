// Whether bytes are UTF-8 (RFC 3629): names are raw bytes, and what writes them down must know. Pure functions; any thread.
#pragma once

#include <string_view>

namespace mbu {

// How many bytes the character at the front of `text` has; 0 when there is none that is well formed. Overlong forms,
// surrogates and what lies beyond U+10FFFF are not.
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || !tail(1)) return 0;
  if (first < 0xe0) return 2;
  if (!tail(2)) return 0;
  if (first < 0xf0) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first > 0xf4 || !tail(3)) return 0;
  const bool overlong = first == 0xf0 && byte(1) < 0x90;
  const bool beyond = first == 0xf4 && byte(1) > 0x8f;
  return overlong || beyond ? 0 : 4;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace mbu
