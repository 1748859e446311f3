// What both directions of the page codec agree on; page_encode.cpp and page_decode.cpp hold the rest.
#include "format/page.hpp"

#include "format/page_rules.hpp"

namespace mbu::format {
namespace {

// Upper bounds of what the parts of a page take, offsets, vtables' share, lengths and alignment included.
constexpr std::size_t kColumnsWeight = 40;
constexpr std::size_t kOwnerWeight = 56;
constexpr std::size_t kDirectoryWeight = 56;
constexpr std::size_t kRegularWeight = 48;
constexpr std::size_t kChunkWeight = 36;
constexpr std::size_t kSparseWeight = 96;
constexpr std::size_t kRareWeight = 12;
constexpr std::size_t kSetWeight = 32;
constexpr std::size_t kAttributeWeight = 48;

}  // namespace

std::size_t entry_weight(const Entry& entry) noexcept {
  std::size_t weight = kColumnsWeight + kOwnerWeight + entry.name.size() + entry.user.size() + entry.group.size() +
                       entry.target.size();
  weight += entry.is_directory() ? kDirectoryWeight : kRegularWeight + entry.content.chunks.size() * kChunkWeight;
  if (entry.sparse) {
    weight += kSparseWeight + entry.sparse->encoded.size() + entry.sparse->stored.chunks.size() * kChunkWeight;
  }
  weight += 2 * kRareWeight;
  if (!entry.attributes.empty()) weight += kSetWeight;
  for (const auto& attribute : entry.attributes) {
    weight += kAttributeWeight + attribute.name.size() + attribute.value.size();
  }
  return weight;
}

namespace detail {

std::size_t expansion_of(std::string_view user, std::string_view group) noexcept { return user.size() + group.size(); }

std::size_t expansion_of(const std::vector<Attribute>& attributes) noexcept {
  std::size_t sum = 0;
  for (const auto& attribute : attributes) sum += sizeof(Attribute) + attribute.name.size() + attribute.value.size();
  return sum;
}

const char* defect_of_inner(const Page& page) noexcept {
  if (page.level == 0 || page.level > kHighestPageLevel) return "has an impossible level";
  if (page.children.empty()) return "has no pages below it";
  if (!page.entries.empty() || page.inline_length != 0 || !page.inline_chunk.is_zero()) {
    return "has entries as well as pages below it";
  }
  std::uint64_t sum = 0;
  const PageChild* previous = nullptr;
  for (const auto& child : page.children) {
    if (child.id.is_zero()) return "names a page that cannot exist";
    if (child.entries == 0 || child.entries > ~sum) return "counts an impossible number of entries";
    if (!is_valid_name(child.first_name)) return "has an impossible name";
    if (previous != nullptr && previous->first_name >= child.first_name) return "has names that are not sorted";
    sum += child.entries;
    previous = &child;
  }
  return nullptr;
}

}  // namespace detail
}  // namespace mbu::format
