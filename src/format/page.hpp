// Pages: pieces of a directory's listing (FORMAT.md §7.2). Encode and decode only; where they come from and go to is
// tree/'s business. Pure functions; any thread.
#pragma once

#include "format/entry.hpp"

namespace mbu::format {

// A page below an inner page.
struct PageChild {
  ChunkId id;
  std::uint64_t entries = 0;  // of the directory, below it
  std::string first_name;
  bool operator==(const PageChild&) const = default;
};

struct Page {
  std::uint8_t level = 0;
  std::vector<PageChild> children;  // inner pages
  std::vector<Entry> entries;       // leaves
  ChunkId inline_chunk;             // zero: none
  std::uint32_t inline_length = 0;
};

inline constexpr std::uint8_t kHighestPageLevel = 7;
// What a page's owner names and attributes may come to when each entry gets its own copy, in bytes.
inline constexpr std::size_t kLargestPageExpansion = 64 * 1024 * 1024;

// What an entry adds to its page at most, in bytes, nothing shared with others. A page whose weights and kPageOverhead stay
// within kLargestChunk can be encoded. An entry that alone is heavier cannot be stored at all: its attributes are too large.
[[nodiscard]] std::size_t entry_weight(const Entry& entry) noexcept;
inline constexpr std::size_t kPageOverhead = 1024;

// Preconditions: names ascend strictly and are valid; contents fit the sizes; inlined contents lie in order and without
// gap in the inline chunk. Throws Code::failed rather than make a page that decode_page() would refuse. Mode and flags lose
// bits that are not kept. Equal pages give equal bytes.
[[nodiscard]] ByteBuffer encode_page(const Page& page);

// Checks everything that a single page can be checked for: the FlatBuffer, vector lengths, types, names and their order,
// content against sizes, rows. Entries' inline offsets are filled in. Throws Code::corrupt with `subject` in it.
[[nodiscard]] Page decode_page(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
