// A cheap look at data: does it look as if nothing could compress it?
#pragma once

#include "base/bytes.hpp"

namespace mbu::chunk {

// Fewer bytes than this never look random: too few to tell.
inline constexpr std::size_t kLeastToLookRandom = 8 * 1024;

// Whether 4 KiB in slices spread evenly over `bytes` have nearly the entropy of order 0 that random bytes have. What only repeats itself at
// a distance looks random too. Pure; any thread.
[[nodiscard]] bool looks_random(ByteView bytes) noexcept;

}  // namespace mbu::chunk
