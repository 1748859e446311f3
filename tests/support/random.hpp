// Values drawn at random, the same ones in every run. One thread at a time.
#pragma once

#include <random>
#include <string>

#include "base/bytes.hpp"

namespace mbu::test {

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

}  // namespace mbu::test
