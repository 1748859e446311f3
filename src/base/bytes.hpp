// Little-endian integers and byte strings: the alphabet of every hand-laid format.
// Pure functions; any thread.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <string>
#include <string_view>

#include "mbu/types/error.hpp"
#include "mbu/types/ids.hpp"

namespace mbu {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

template <std::unsigned_integral T>
[[nodiscard]] constexpr T little_endian(T value) noexcept {
  if constexpr (std::endian::native == std::endian::little || sizeof(T) == 1) {
    return value;
  } else {
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) swapped = static_cast<T>((swapped << 8) | ((value >> (8 * i)) & 0xff));
    return swapped;
  }
}

// Precondition: from.size() >= sizeof(T).
template <std::unsigned_integral T>
[[nodiscard]] T load(ByteView from) noexcept {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  return little_endian(value);
}

template <std::unsigned_integral T>
void write_integer(MutableBytes to, T value) noexcept {
  value = little_endian(value);
  std::memcpy(to.data(), &value, sizeof value);
}

template <std::unsigned_integral T>
void append(ByteBuffer& to, T value) {
  value = little_endian(value);
  const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
  to.insert(to.end(), p, p + sizeof value);
}

inline void append(ByteBuffer& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads a hand-laid layout front to back; never past the end. Throws Code::corrupt naming `what` when bytes are missing.
class Reader {
 public:
  Reader(ByteView bytes, std::string what) : rest_(bytes), what_(std::move(what)) {}

  template <std::unsigned_integral T>
  T integer() {
    return load<T>(take(sizeof(T)));
  }
  template <class Id>
  Id identifier() {
    return Id::from(take(Id::kSize));
  }
  ByteView take(std::size_t size) {
    if (size > rest_.size()) throw Error(Code::corrupt, "is cut short", what_);
    auto piece = rest_.first(size);
    rest_ = rest_.subspan(size);
    return piece;
  }
  void expect_zero(std::size_t size) {
    for (auto b : take(size)) {
      if (b != 0) throw Error(Code::corrupt, "has bytes set that must be zero", what_);
    }
  }
  [[nodiscard]] ByteView rest() const noexcept { return rest_; }

 private:
  ByteView rest_;
  std::string what_;
};

}  // namespace mbu
