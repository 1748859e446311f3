#include "format/padme.hpp"

#include <bit>

namespace mbu::format {

std::uint64_t padme(std::uint64_t length) noexcept {
  if (length < 2) return length;
  const auto exponent = static_cast<unsigned>(std::bit_width(length)) - 1;
  const auto kept = static_cast<unsigned>(std::bit_width(exponent));  // floor(log2 E) + 1
  const std::uint64_t mask = (std::uint64_t{1} << (exponent - kept)) - 1;
  return (length + mask) & ~mask;
}

}  // namespace mbu::format
