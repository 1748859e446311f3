#include "ingest/shelf.hpp"

#include <algorithm>

namespace mbu::ingest {
namespace {

// Bounds what is kept beside the bytes.
constexpr std::size_t kMostItems = 16'384;
constexpr std::uint8_t kFew = 3;

}  // namespace

bool Shelf::is_for(std::string_view file_name) {
  if (++counted_ == kCounters) {  // old names fade, lest every counter be high in the end
    for (auto& count : seen_) count /= 2;
    counted_ = 0;
  }
  auto& count = seen_[std::hash<std::string_view>{}(file_name) % kCounters];
  if (count > kFew) return true;
  return ++count > kFew;
}

bool Shelf::has_room_for(std::size_t bytes) const noexcept {
  return items_.size() < kMostItems && bytes <= room_bytes_ - bytes_.size();
}

void Shelf::add(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name) {
  if (bytes_.capacity() == 0) bytes_.reserve(room_bytes_);  // no memory before it is written to
  items_.push_back({chunk, bytes_.size(), std::string(file_name)});
  append(bytes_, bytes);
}

void Shelf::clear_into(const Take& take) {
  std::ranges::stable_sort(items_, {}, &Item::file_name);
  for (const auto& item : items_) take(item.chunk, ByteView(bytes_).subspan(item.offset, item.chunk.length), item.file_name);
  items_.clear();
  bytes_.clear();
}

}  // namespace mbu::ingest
