// What the tests of format/ share: bytes that were tampered with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "../support/random.hpp"

namespace mbu::format::test {

inline const std::string kSubject = "data/ab/abcd";

using mbu::test::Random;

// Decodes bytes that must be refused as damaged, for a reason that has `what` in it.
template <class Decode>
void expect_corrupt(const ByteBuffer& bytes, Decode decode, std::string_view what) {
  try {
    static_cast<void>(decode(ByteView(bytes), kSubject));
    ADD_FAILURE() << "was accepted; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::corrupt) << error.what();
    EXPECT_NE(error.happened().find(what), std::string::npos) << error.what() << "; expected: " << what;
    EXPECT_EQ(error.subject(), kSubject);
  }
}

// Runs `act`, which must be refused before it makes something unreadable.
template <class Act>
void expect_refused(Act act, std::string_view what) {
  try {
    act();
    ADD_FAILURE() << "was accepted; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::failed) << error.what();
    EXPECT_NE(error.happened().find(what), std::string::npos) << error.what() << "; expected: " << what;
  }
}

// Whether hostile bytes end in a value (true) or in an error that blames them (false). They lie in memory of exactly their
// size and at an odd address, for the sanitizers.
template <class Decode>
bool decodes(ByteView bytes, Decode decode) {
  ByteBuffer shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  try {
    static_cast<void>(decode(ByteView(shifted).subspan(1), kSubject));
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Code::corrupt || error.happened() == "was made by a newer mbu") << error.what();
    return false;
  }
}

// Flips each bit and each byte, and cuts off every tail: none may do more harm than an error.
template <class Decode>
void expect_survives_tampering(const ByteBuffer& good, Decode decode) {
  EXPECT_TRUE(decodes(good, decode));
  for (std::size_t size = 0; size < good.size(); ++size) decodes(ByteView(good).first(size), decode);
  ByteBuffer bad = good;
  for (auto& byte : bad) {
    const auto kept = byte;
    for (unsigned bit = 0; bit < 8; ++bit) {
      byte = static_cast<std::uint8_t>(kept ^ (1u << bit));
      decodes(bad, decode);
    }
    for (const unsigned value : {0x00u, 0x7fu, 0x80u, 0xffu}) {
      byte = static_cast<std::uint8_t>(value);
      decodes(bad, decode);
    }
    byte = kept;
  }
}

}  // namespace mbu::format::test
