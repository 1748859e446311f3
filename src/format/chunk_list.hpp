// Chunk lists: the inner nodes of a big file (FORMAT.md §7.1). Pure functions; any thread.
#pragma once

#include <string>

#include "mbu/types/ids.hpp"

namespace mbu::format {

inline constexpr std::uint8_t kHighestListLevel = 7;
inline constexpr std::size_t kListHeadSize = 8;
inline constexpr std::size_t kListItemSize = 40;

struct ListItem {
  ChunkId id;               // a data chunk at level 0, else a list of the level below
  std::uint64_t bytes = 0;  // of file data below it, at least 1; level 0: at most 4 MiB
  bool operator==(const ListItem&) const = default;
};

struct ChunkList {
  std::uint8_t level = 0;
  std::vector<ListItem> items;  // at least one
  bool operator==(const ChunkList&) const = default;
};

// The sum of the items' bytes. Precondition: it does not overflow, which decode_chunk_list() has seen to.
[[nodiscard]] std::uint64_t total_bytes(const ChunkList& list) noexcept;

[[nodiscard]] ByteBuffer encode_chunk_list(const ChunkList& list);
// Throws Code::corrupt.
[[nodiscard]] ChunkList decode_chunk_list(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
