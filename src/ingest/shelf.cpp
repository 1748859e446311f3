#include "ingest/shelf.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace mbu::ingest {
namespace {

// Bounds what is kept beside the bytes.
constexpr std::size_t kMostItems = 16'384;

std::string_view extension(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot + 1);
}

}  // namespace

bool Shelf::has_room_for(std::size_t bytes) const noexcept {
  return items_.size() < kMostItems && bytes <= room_bytes_ - bytes_.size();
}

void Shelf::add(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name) {
  if (bytes_.capacity() == 0) bytes_.reserve(room_bytes_);  // no memory before it is written to
  items_.push_back({chunk, bytes_.size(), std::string(file_name)});
  append(bytes_, bytes);
}

void Shelf::clear_into(const Take& take) {
  std::unordered_map<std::string_view, int> uses;
  for (const auto& item : items_) ++uses[item.file_name];
  // Otherwise as they came, which is by directory.
  const auto place = [&](const Item* item) {
    const std::string_view name = item->file_name;
    return std::tuple(extension(name), uses.at(name) > 1 ? name : std::string_view{}, item->offset);
  };
  std::vector<const Item*> order;
  order.reserve(items_.size());
  for (const auto& item : items_) order.push_back(&item);
  std::ranges::sort(order, {}, place);
  for (const auto* item : order) {
    take(item->chunk, ByteView(bytes_).subspan(item->offset, item->chunk.length), item->file_name);
  }
  items_.clear();
  bytes_.clear();
}

}  // namespace mbu::ingest
