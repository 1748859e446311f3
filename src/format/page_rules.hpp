// What holds for every page and its entries, whoever made them: the encoder refuses what the decoder would. Internal to
// format/.
#pragma once

#include "format/page.hpp"

namespace mbu::format::detail {

// Whether an entry can be stored. Null, or what is wrong, fit for "has an entry that …". Of its place among others, and of
// where inlined bytes lie, nothing is checked.
[[nodiscard]] const char* defect_of(const Entry& entry) noexcept;

// The same for an inner page.
[[nodiscard]] const char* defect_of_inner(const Page& page) noexcept;

// Many entries of a page may share one large owner name or set of attributes, of which each has its own copy once decoded. What
// these copies may come to; they are counted before they are made.
inline constexpr std::size_t kLargestExpansion = 64 * 1024 * 1024;
[[nodiscard]] std::size_t expansion_of(std::string_view user, std::string_view group) noexcept;
[[nodiscard]] std::size_t expansion_of(const std::vector<Attribute>& attributes) noexcept;

// What is kept of modes and flags.
inline constexpr std::uint16_t kModeBits = 07777;
inline constexpr std::uint32_t kKeptFlags = 0x70;
inline constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;
inline constexpr std::uint32_t kUnknownTime = 0xffff'ffff;

// How many bytes of data a regular file has: its size less the holes. Nothing when its sparse map is stored elsewhere.
// Precondition: a map in the page is well formed.
[[nodiscard]] std::optional<std::uint64_t> data_length(const Entry& entry) noexcept;

// What is wrong with a sparse map for a file of this size, or null. Calls `run` with each run of data.
template <class Run>
const char* walk_sparse_map(ByteView encoded, std::uint64_t size, Run run);

// One LEB128 number off the front of `bytes`; nothing unless it is whole, fits 64 bits and takes no more bytes than it must.
[[nodiscard]] std::optional<std::uint64_t> take_leb128(ByteView& bytes) noexcept;

template <class Run>
const char* walk_sparse_map(ByteView encoded, std::uint64_t size, Run run) {
  std::uint64_t at = 0;
  for (auto rest = encoded; !rest.empty();) {
    const auto hole = take_leb128(rest);
    const auto data = hole ? take_leb128(rest) : std::nullopt;
    if (!data) return "has a sparse map that is not well formed";
    if (*data == 0 || (*hole == 0 && at != 0)) return "has a sparse map with an empty run";
    if (*hole > size - at || *data > size - at - *hole) return "has a sparse map that reaches beyond the file's end";
    run(DataRun{at + *hole, *data});
    at += *hole + *data;
  }
  return nullptr;
}

}  // namespace mbu::format::detail
