#include "format/chunk_list.hpp"

#include "base/bytes.hpp"
#include "format/entry.hpp"

namespace mbu::format {
namespace {

// What is wrong with an item, or null.
const char* defect_of(const ListItem& item, std::uint8_t level, std::uint64_t sum_before) {
  if (item.id.is_zero()) return "names a chunk that cannot exist";
  if (item.bytes == 0 || (level == 0 && item.bytes > kLargestChunk)) return "has an item of an impossible length";
  if (item.bytes > kLargestFile - sum_before) return "adds up to more than a file can hold";
  return nullptr;
}

}  // namespace

std::uint64_t total_bytes(const ChunkList& list) noexcept {
  std::uint64_t sum = 0;
  for (const auto& item : list.items) sum += item.bytes;
  return sum;
}

ByteBuffer encode_chunk_list(const ChunkList& list) {
  const std::size_t size = kListHeadSize + list.items.size() * kListItemSize;
  if (list.level > kHighestListLevel || list.items.empty() || size > kLargestChunk) {
    throw Error(Code::failed, "a chunk list has an impossible level or length");
  }
  ByteBuffer bytes;
  bytes.reserve(size);
  append(bytes, std::uint32_t{list.level});  // three zero bytes follow the level
  append(bytes, static_cast<std::uint32_t>(list.items.size()));
  std::uint64_t sum = 0;
  for (const auto& item : list.items) {
    if (const char* defect = defect_of(item, list.level, sum)) {
      throw Error(Code::failed, std::string("a chunk list ") + defect);
    }
    sum += item.bytes;
    append(bytes, item.id.view());
    append(bytes, item.bytes);
  }
  return bytes;
}

ChunkList decode_chunk_list(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  ChunkList list;
  list.level = reader.integer<std::uint8_t>();
  if (list.level > kHighestListLevel) throw Error(Code::corrupt, "is a chunk list of an impossible level", subject);
  reader.expect_zero(3);
  const auto count = reader.integer<std::uint32_t>();
  if (count == 0 || bytes.size() > kLargestChunk || reader.rest().size() != count * std::uint64_t{kListItemSize}) {
    throw Error(Code::corrupt, "is a chunk list of the wrong length", subject);
  }
  list.items.reserve(count);
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    ListItem item;
    item.id = reader.identifier<ChunkId>();
    item.bytes = reader.integer<std::uint64_t>();
    if (const char* defect = defect_of(item, list.level, sum)) throw Error(Code::corrupt, defect, subject);
    sum += item.bytes;
    list.items.push_back(item);
  }
  return list;
}

}  // namespace mbu::format
