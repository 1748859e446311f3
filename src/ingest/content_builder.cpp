#include "ingest/content_builder.hpp"

namespace mbu::ingest {
namespace {

constexpr std::size_t kMostDirect = 16;
constexpr std::size_t kFewestItems = 32;
constexpr std::size_t kMostItems = 1024;

// Ids are as good as random: one in 128 ends a list.
bool ends_list(const ChunkId& id) { return (load<std::uint16_t>(ByteView(id.bytes).last(2)) & 0x7f) == 0; }

}  // namespace

void ContentBuilder::add(const format::ChunkRef& chunk, ChunkSink& sink) {
  bytes_ += chunk.length;
  if (levels_.empty() && direct_.size() < kMostDirect) {
    direct_.push_back(chunk);
    return;
  }
  if (levels_.empty()) {
    for (const auto& earlier : direct_) push(0, {earlier.id, earlier.length}, sink);
    direct_.clear();
  }
  push(0, {chunk.id, chunk.length}, sink);
}

void ContentBuilder::push(std::size_t level, const format::ListItem& item, ChunkSink& sink) {
  if (level == levels_.size()) levels_.push_back({static_cast<std::uint8_t>(level), {}});
  auto& items = levels_[level].items;
  items.push_back(item);
  if (items.size() == kMostItems || (items.size() >= kFewestItems && ends_list(item.id))) flush(level, sink);
}

void ContentBuilder::flush(std::size_t level, ChunkSink& sink) {
  const auto& list = levels_[level];
  const auto id = sink.put(format::BlockRole::list, format::encode_chunk_list(list));
  const std::uint64_t below = format::total_bytes(list);
  levels_[level].items.clear();
  push(level + 1, {id, below}, sink);
}

format::Content ContentBuilder::finish(ChunkSink& sink) {
  format::Content content;
  if (levels_.empty()) {
    content.kind = direct_.empty() ? format::Content::Kind::empty : format::Content::Kind::direct;
    content.chunks = std::move(direct_);
    return content;
  }
  // Close each level into the one above until a single item is left: that list is the root.
  for (std::size_t level = 0;; ++level) {
    const bool top = level + 1 == levels_.size();
    if (top && level > 0 && levels_[level].items.size() == 1) {
      content.kind = format::Content::Kind::tree;
      content.tree = levels_[level].items.front().id;
      content.tree_level = static_cast<std::uint8_t>(level - 1);
      return content;
    }
    if (!levels_[level].items.empty()) flush(level, sink);
  }
}

}  // namespace mbu::ingest
