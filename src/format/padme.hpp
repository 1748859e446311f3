// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019):
// lengths lose their low bits, at a cost of at most 12 %.
#pragma once

#include <cstdint>

namespace mbu::format {

// The padded length of `length` bytes: never less, and padme(padme(x)) == padme(x). Precondition: length <= 2^62.
[[nodiscard]] std::uint64_t padme(std::uint64_t length) noexcept;

// Objects of this size or more are not padded.
inline constexpr std::uint64_t kPaddedBelow = 1024 * 1024;

}  // namespace mbu::format
