#include "base/random.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace mbu {

void fill_random(MutableBytes to) noexcept {
  constexpr std::size_t kLimit = 256;  // getentropy's own bound for one call
  while (!to.empty()) {
    const std::size_t n = std::min(to.size(), kLimit);
    if (getentropy(to.data(), n) != 0) std::abort();
    to = to.subspan(n);
  }
}

}  // namespace mbu
