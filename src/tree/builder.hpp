// Building directories: where a listing is cut into pages, and the inner pages above them (DESIGN: content-defined cuts, so
// that one change in a directory of 100,000 entries rewrites one page and its path to the root).
//
// Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "format/page.hpp"
#include "keys/keyring.hpp"

namespace mbu::tree {

// Regular files of up to this many bytes lie in their page's inline chunk.
inline constexpr std::uint64_t kLargestInline = 4096;

// Decides after which entries a leaf ends, from names and sizes alone: what is in the files need not be known yet.
class LeafCutter {
 public:
  explicit LeafCutter(const keys::DomainKeys& domain) : key_(&domain.page_cut) {}
  // Whether the leaf ends after this entry. `inline_bytes`: the entry's size if it will lie in the inline chunk, else 0.
  [[nodiscard]] bool ends_after(std::string_view name, std::uint64_t inline_bytes);

 private:
  const std::array<std::uint8_t, 16>* key_;
  std::size_t entries_ = 0;
  std::uint64_t inline_bytes_ = 0;
  std::size_t name_bytes_ = 0;
};

// Puts inner pages above leaves until one page is left; its id. `put` stores an encoded page. An empty directory has one empty leaf,
// which the caller puts; so `leaves` is never empty.
[[nodiscard]] ChunkId join_pages(std::vector<format::PageChild> leaves, const keys::DomainKeys& domain,
                                 const std::function<ChunkId(ByteView)>& put);

}  // namespace mbu::tree
