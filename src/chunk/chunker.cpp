#include "chunk/chunker.hpp"

#include <algorithm>
#include <bit>

namespace mbu::chunk {
namespace {

// The hash is shifted left by one bit a byte, so its upper bits have seen the last 64 bytes: the mask takes those.
std::uint64_t upper_bits(int count) noexcept { return ~std::uint64_t{0} << (64 - count); }

// How much rarer and more frequent cuts are than one in `normal` bytes: normalised chunking of level 2.
constexpr int kNormalisation = 2;

}  // namespace

GearTable GearTable::from(ByteView bytes) noexcept {
  GearTable table;
  for (std::size_t i = 0; i < table.values.size(); ++i) table.values[i] = load<std::uint64_t>(bytes.subspan(i * 8));
  return table;
}

Chunker::Chunker(const GearTable& gear, Parameters parameters) noexcept : gear_(&gear), parameters_(parameters) {
  const int bits = std::bit_width(parameters.normal) - 1;
  strict_mask_ = upper_bits(bits + kNormalisation);
  relaxed_mask_ = upper_bits(bits - kNormalisation);
}

std::size_t Chunker::cut(ByteView data) const noexcept {
  if (data.size() <= parameters_.minimum) return data.size();
  const std::size_t end = std::min<std::size_t>(data.size(), parameters_.maximum);
  const std::size_t middle = std::min<std::size_t>(end, parameters_.normal);
  const auto* bytes = data.data();
  const auto& gear = gear_->values;
  std::uint64_t hash = 0;
  std::size_t i = parameters_.minimum;
  for (; i < middle; ++i) {
    hash = (hash << 1) + gear[bytes[i]];
    if ((hash & strict_mask_) == 0) return i + 1;
  }
  for (; i < end; ++i) {
    hash = (hash << 1) + gear[bytes[i]];
    if ((hash & relaxed_mask_) == 0) return i + 1;
  }
  return end;
}

}  // namespace mbu::chunk
