// What the fuzz targets share. A parser may refuse its input with an Error that blames it; what it accepts must be something that
// it would write itself and read again as the same. Everything else, and every sanitizer report, is a crash.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace mbu::fuzz {

inline const std::string kSubject = "fuzz";

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// What `decode` makes of the bytes; nothing when it refuses them with this code.
template <class Decode>
auto decoded(Decode decode, Code refusal = Code::corrupt) -> std::optional<decltype(decode())> {
  try {
    return decode();
  } catch (const Error& error) {
    require(error.code() == refusal, "an error blames something else than the input");
    return std::nullopt;
  }
}

// `decode(bytes, subject)` and its inverse, which gives the same value though not always the same bytes.
template <class Decode, class Encode>
void expect_same_value(ByteView bytes, Decode decode, Encode encode) {
  const auto value = decoded([&] { return decode(bytes, kSubject); });
  if (!value) return;
  const ByteBuffer written = encode(*value);
  const auto again = decode(written, kSubject);
  if constexpr (requires { again == *value; }) require(again == *value, "what was read is not what was written");
  require(encode(again) == written, "one value is written in two ways");
}

// The same for layouts that have one form only.
template <class Decode, class Encode>
void expect_same_bytes(ByteView bytes, Decode decode, Encode encode) {
  const auto value = decoded([&] { return decode(bytes, kSubject); });
  if (!value) return;
  const ByteBuffer written = encode(*value);
  require(written.size() == bytes.size() && std::equal(written.begin(), written.end(), bytes.begin()),
          "what was read is written otherwise");
}

}  // namespace mbu::fuzz
