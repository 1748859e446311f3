// Scratch: memory that is used again and again and never cleared. A vector writes zeros wherever it grows, which for blocks of
// some MiB is time to be seen in a profile. One thread at a time.
#pragma once

#include <memory>

#include "mbu/types/ids.hpp"

namespace mbu {

class Scratch {
 public:
  // That many bytes of unspecified content; what was there before is kept only when it does not grow beyond what it ever was.
  MutableBytes resize(std::size_t size) {
    if (size > capacity_) {
      bytes_ = std::unique_ptr<std::uint8_t[]>(new std::uint8_t[size]);
      capacity_ = size;
    }
    size_ = size;
    return {bytes_.get(), size};
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] MutableBytes bytes() noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] ByteView view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace mbu
