#include "chunk/entropy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace mbu::chunk {
namespace {

// How often each byte comes up in a part of the slices.
class Sample {
 public:
  static constexpr std::size_t kSlices = 16;
  static constexpr std::size_t kSlice = 256;

  explicit Sample(ByteView bytes) : bytes_(bytes), stride_((bytes.size() - kSlice) / (kSlices - 1)) {}

  void take(std::size_t first, std::size_t step) {
    for (std::size_t s = first; s < kSlices; s += step) {
      for (const auto b : bytes_.subspan(s * stride_, kSlice)) ++counts_[b];
    }
  }
  [[nodiscard]] auto missing_bytes() const { return std::ranges::count(counts_, 0u); }
  // Of all slices, in bits a byte. Random bytes give about 7.95 with so few.
  [[nodiscard]] double entropy() const {
    constexpr double kTotal = kSlices * kSlice;
    double bits = 0;
    for (const auto count : counts_) {
      if (count != 0) bits -= count / kTotal * std::log2(count / kTotal);
    }
    return bits;
  }

 private:
  ByteView bytes_;
  std::size_t stride_;
  std::array<unsigned, 256> counts_{};
};

static_assert(kLeastToLookRandom >= Sample::kSlices * Sample::kSlice);

}  // namespace

bool looks_random(ByteView bytes) noexcept {
  if (bytes.size() < kLeastToLookRandom) return false;
  Sample sample(bytes);
  // Of a quarter of the slices random bytes miss five values, text half of them: that is most of what there is to tell.
  sample.take(0, 4);
  if (sample.missing_bytes() > 30) return false;
  for (const std::size_t first : {1, 2, 3}) sample.take(first, 4);
  return sample.entropy() > 7.85;
}

}  // namespace mbu::chunk
