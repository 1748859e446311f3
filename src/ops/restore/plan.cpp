#include "ops/restore/plan.hpp"

#include <algorithm>
#include <tuple>

namespace mbu::ops {

void RestorePlan::sort() {
  // Within a block by file, so that what is joined in a file stays joined here; its files in the order of the walk.
  const auto key = [](const Segment& s) {
    return std::tuple(s.chunk.pack, s.chunk.block, s.file_number, s.offset);
  };
  std::ranges::sort(segments_, [&](const Segment& a, const Segment& b) { return key(a) < key(b); });
}

std::vector<std::span<const Segment>> RestorePlan::blocks() const {
  std::vector<std::span<const Segment>> result;
  const std::span<const Segment> all(segments_);
  for (std::size_t start = 0; start < all.size();) {
    std::size_t end = start + 1;
    while (end < all.size() && all[end].chunk.pack == all[start].chunk.pack &&
           all[end].chunk.block == all[start].chunk.block) {
      ++end;
    }
    result.push_back(all.subspan(start, end - start));
    start = end;
  }
  return result;
}

std::size_t joined_segments(std::span<const Segment> segments) noexcept {
  std::size_t count = 1;
  while (count < segments.size()) {
    const auto& before = segments[count - 1];
    const auto& next = segments[count];
    if (next.file != before.file || next.offset != before.offset + before.length ||
        next.position() != before.position() + before.length) {
      break;
    }
    ++count;
  }
  return count;
}

}  // namespace mbu::ops
