#include "chunk/chunker.hpp"

#include <algorithm>
#include <bit>

#include "chunk/entropy.hpp"

namespace mbu::chunk {
namespace {

// The hash is shifted left by one bit a byte, so its upper bits have seen the last 64 bytes: a cut is where that many of them are zero,
// which makes it a number below this.
std::uint64_t zero_upper_bits(int count) noexcept { return std::uint64_t{1} << (64 - count); }

// How much rarer and more frequent cuts are than one in `normal` bytes: normalised chunking of level 2.
constexpr int kNormalisation = 2;

// A place in the data and the hash of the up to 64 bytes before it.
struct Scan {
  std::size_t at;
  std::uint64_t hash;
  bool found = false;  // a cut, at `at`
};

inline std::uint64_t roll(std::uint64_t hash, std::uint64_t gear) noexcept { return (hash << 1) + gear; }

// To the first place up to `end` whose hash is below the threshold.
Scan scan_one(const std::uint8_t* bytes, Scan scan, std::size_t end, const GearTable& gear, std::uint64_t threshold) noexcept {
  auto [at, hash, found] = scan;
  while (at < end) {
    hash = roll(hash, gear.values[bytes[at++]]);
    if (hash < threshold) return {at, hash, true};
  }
  return {at, hash};
}

// The same over 2 * kLane bytes. One hash after the other is a chain of dependent additions that leaves most of a core idle; since a
// hash forgets what is 64 bytes back, a second chain can start in the middle: twice as fast.
constexpr std::size_t kLane = 4096;
constexpr std::size_t kMemory = 64;

Scan scan_two(const std::uint8_t* bytes, Scan scan, const GearTable& gear, std::uint64_t threshold) noexcept {
  const auto& values = gear.values;
  const std::size_t middle = scan.at + kLane;
  std::uint64_t first = scan.hash, second = 0;
  for (std::size_t i = middle - kMemory; i < middle; ++i) second = roll(second, values[bytes[i]]);
  const auto* a = bytes + scan.at;
  const auto* b = bytes + middle;
  for (std::size_t i = 0; i < kLane; ++i) {
    first = roll(first, values[a[i]]);
    second = roll(second, values[b[i]]);
    if (first < threshold) return {scan.at + i + 1, first, true};
    if (second < threshold) {  // unless there is a cut before the middle
      const auto earlier = scan_one(bytes, {scan.at + i + 1, first}, middle, gear, threshold);
      return earlier.found ? earlier : Scan{middle + i + 1, second, true};
    }
  }
  return {middle + kLane, second};
}

Scan find_cut(const std::uint8_t* bytes, Scan scan, std::size_t end, const GearTable& gear, std::uint64_t threshold) noexcept {
  while (!scan.found && scan.at + 2 * kLane <= end) scan = scan_two(bytes, scan, gear, threshold);
  return scan.found ? scan : scan_one(bytes, scan, end, gear, threshold);
}

}  // namespace

GearTable GearTable::from(ByteView bytes) noexcept {
  GearTable table;
  for (std::size_t i = 0; i < table.values.size(); ++i) table.values[i] = load<std::uint64_t>(bytes.subspan(i * 8));
  return table;
}

Parameters Parameters::coarse() const noexcept {
  return {std::max(minimum, maximum / 7 * 4), std::max(normal, maximum / 7 * 5), maximum};
}

Chunker::Class::Class(const Parameters& p) noexcept : parameters(p) {
  const int bits = std::bit_width(p.normal) - 1;
  strict_threshold = zero_upper_bits(bits + kNormalisation);
  relaxed_threshold = zero_upper_bits(bits - kNormalisation);
}

Chunker::Chunker(const GearTable& gear, Parameters parameters) noexcept
    : gear_(&gear), fine_(parameters), coarse_(parameters.coarse()) {}

std::size_t Chunker::cut(ByteView data, bool stream_ends_here) const noexcept {
  const std::size_t looked_at = coarse_.parameters.minimum;
  if (data.size() < looked_at && !stream_ends_here) return 0;
  const bool coarse = data.size() >= looked_at && looks_random(data.first(looked_at));
  const auto& [parameters, strict_threshold, relaxed_threshold] = coarse ? coarse_ : fine_;
  const std::size_t end = std::min<std::size_t>(data.size(), parameters.maximum);
  Scan scan{std::min<std::size_t>(end, parameters.minimum), 0};
  scan = find_cut(data.data(), scan, std::min<std::size_t>(end, parameters.normal), *gear_, strict_threshold);
  if (!scan.found) scan = find_cut(data.data(), scan, end, *gear_, relaxed_threshold);
  const bool certain = scan.found || end == parameters.maximum || stream_ends_here;
  return certain ? scan.at : 0;
}

}  // namespace mbu::chunk
