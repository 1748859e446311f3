#include "tree/builder.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace mbu::tree {
namespace {

constexpr std::size_t kFewestEntries = 16;
constexpr std::size_t kMostEntries = 1024;
constexpr std::uint64_t kMostInlineBytes = 512 * 1024;
constexpr std::size_t kMostNameBytes = 256 * 1024;
constexpr std::uint64_t kLeafMask = 0x7f;   // one name in 128 ends a leaf
constexpr std::uint64_t kInnerMask = 0x3f;  // one child in 64 ends an inner page
constexpr std::size_t kFewestChildren = 8;
constexpr std::size_t kMostChildren = 512;

}  // namespace

bool LeafCutter::ends_after(std::string_view name, std::uint64_t inline_bytes) {
  ++entries_;
  inline_bytes_ += inline_bytes;
  name_bytes_ += name.size();
  const bool by_content =
      entries_ >= kFewestEntries && (crypto::short_hash(*key_, as_bytes(name)) & kLeafMask) == 0;
  const bool full = entries_ == kMostEntries || inline_bytes_ >= kMostInlineBytes || name_bytes_ >= kMostNameBytes;
  if (!by_content && !full) return false;
  entries_ = 0;
  inline_bytes_ = 0;
  name_bytes_ = 0;
  return true;
}

ChunkId join_pages(std::vector<format::PageChild> children, const keys::DomainKeys& domain,
                   const std::function<ChunkId(ByteView)>& put) {
  for (std::uint8_t level = 1; children.size() > 1; ++level) {
    std::vector<format::PageChild> above;
    format::Page page;
    page.level = level;
    for (std::size_t i = 0; i < children.size(); ++i) {
      page.children.push_back(std::move(children[i]));
      const auto& last = page.children.back();
      const std::size_t count = page.children.size();
      const bool by_content = count >= kFewestChildren && i + 1 < children.size() &&
                              (crypto::short_hash(domain.page_cut, as_bytes(last.first_name)) & kInnerMask) == 0;
      if (!by_content && count < kMostChildren && i + 1 < children.size()) continue;
      std::uint64_t entries = 0;
      for (const auto& child : page.children) entries += child.entries;
      above.push_back({put(format::encode_page(page)), entries, page.children.front().first_name});
      page.children.clear();
    }
    children = std::move(above);
  }
  return children.front().id;
}

}  // namespace mbu::tree
