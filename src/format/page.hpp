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
};

struct Page {
  std::uint8_t level = 0;
  std::vector<PageChild> children;  // inner pages
  std::vector<Entry> entries;       // leaves
  ChunkId inline_chunk;             // zero: none
  std::uint32_t inline_length = 0;
};

// Preconditions: names ascend strictly and are valid; contents fit the sizes. Equal pages give equal bytes.
[[nodiscard]] ByteBuffer encode_page(const Page& page);

// Checks everything that a single page can be checked for: the FlatBuffer, vector lengths, types, names and their order, content
// against sizes, rows. Entries' inline offsets are filled in. Throws Code::corrupt with `subject` in it.
[[nodiscard]] Page decode_page(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
