// The one source of randomness: the kernel's. Any thread. Aborts when the kernel has none to give, since nothing
// that is encrypted with less than random keys should ever exist.
#pragma once

#include "mbu/types/ids.hpp"

namespace mbu {

void fill_random(MutableBytes to) noexcept;

template <class Id>
[[nodiscard]] Id random_identifier() noexcept {
  Id id;
  fill_random(id.bytes);
  return id;
}

}  // namespace mbu
