// What all tests share: bytes written down in hex, and the Error that something must end with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mbu::test {

// Bytes from hex digits; white space between them does not count.
inline ByteBuffer unhex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != '\n') digits.push_back(c);
  }
  auto bytes = from_hex(digits);
  if (!bytes) ADD_FAILURE() << "is not hex: " << text;
  return bytes.value_or(ByteBuffer{});
}

template <std::size_t N>
std::array<std::uint8_t, N> unhex_array(std::string_view text) {
  const auto bytes = unhex(text);
  std::array<std::uint8_t, N> array{};
  EXPECT_EQ(bytes.size(), N);
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), array.begin());
  return array;
}

// The Error that `act` ends with; a test that it does not end with one fails.
template <class Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "did not fail";
  return Error(Code::failed, "did not fail");
}

// Runs `act`, which must fail with that code and for a reason that has `what` in it.
template <class Act>
void expect_error(Code code, std::string_view what, Act act) {
  const Error error = error_of(act);
  EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
  EXPECT_NE(error.happened().find(what), std::string::npos) << error.what() << "; expected: " << what;
}

}  // namespace mbu::test
