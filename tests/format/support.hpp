// What the tests of format/ share: values drawn at random, and bytes that were tampered with.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mbu::format::test {

inline const std::string kSubject = "data/ab/abcd";

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t number() { return engine_(); }
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  bool coin() { return below(2) == 0; }
  template <class T>
  T any() {
    return static_cast<T>(engine_());
  }
  ByteBuffer bytes(std::size_t size) {
    ByteBuffer all(size);
    for (auto& byte : all) byte = any<std::uint8_t>();
    return all;
  }
  std::string raw(std::size_t size) { return std::string(as_text(bytes(size))); }
  std::string word(std::size_t size) {
    std::string text;
    while (text.size() < size) text.push_back(static_cast<char>('a' + below(26)));
    return text;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> all;
    for (auto& byte : all) byte = any<std::uint8_t>();
    return all;
  }
  template <class Id>
  Id id() {
    return Id{array<Id::kSize>()};
  }
  template <class Id>
  std::vector<Id> ids(std::size_t most) {
    std::vector<Id> all(below(most + 1));
    for (auto& one : all) one = id<Id>();
    return all;
  }

 private:
  std::mt19937_64 engine_;
};

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
