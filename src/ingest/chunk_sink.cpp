#include "ingest/chunk_sink.hpp"

#include <algorithm>
#include <numeric>

#include "ingest/chunk_store.hpp"

namespace mbu::ingest {
namespace {

using format::BlockRole;
using format::ChunkRef;
using repo::Packing;

// Plain bytes. Larger blocks compress better; smaller ones make reading one file or one directory cheaper, and what is not compressed
// gains nothing from more.
constexpr std::size_t kDataBlock = 2U << 20;
constexpr std::size_t kRawBlock = 512U << 10;
constexpr std::size_t kInlineBlock = 1U << 20;
constexpr std::size_t kListingBlock = 256U << 10;
// Files up to this size may wait on the shelf.
constexpr std::uint64_t kShelvedFile = 1U << 20;
// Stored bytes after which a pack is published: what a broken run loses is at most an unfinished pack, and what
// waits, a worker.
constexpr std::uint64_t kPackTarget = 32U << 20;
// Or chunks, whose list is held in memory until then: what compresses very well has many of them.
constexpr std::size_t kPackChunks = 16'384;

}  // namespace

ChunkSink::ChunkSink(ChunkStore& store, Compression compression, std::size_t shelf_bytes)
    : store_(&store),
      scratch_(compression),
      shelf_(shelf_bytes),
      blocks_{{BlockRole::data, Packing::compressed, kDataBlock, {}, {}},
              {BlockRole::data, Packing::raw, kRawBlock, {}, {}},
              {BlockRole::inlined, Packing::compressed, kInlineBlock, {}, {}},
              {BlockRole::list, Packing::compressed, kListingBlock, {}, {}},
              {BlockRole::page, Packing::compressed, kListingBlock, {}, {}}} {}

ChunkSink::PackKind ChunkSink::pack_kind(BlockRole role) {
  return role == BlockRole::data ? data_pack : listing_pack;
}

ChunkSink::Block& ChunkSink::block(BlockRole role, Packing packing) {
  return *std::ranges::find_if(blocks_, [&](const auto& b) { return b.role == role && b.packing == packing; });
}

bool ChunkSink::must_store(BlockRole role, const ChunkRef& chunk) {
  if (!store_->wants(chunk.id)) return false;
  store_->counters_.plain_bytes += chunk.length;
  ++(role == BlockRole::page ? store_->counters_.page_chunks : store_->counters_.data_chunks);
  return true;
}

ChunkId ChunkSink::put(BlockRole role, ByteView bytes) {
  const ChunkRef chunk{repo::chunk_id(store_->own_domain(), role, bytes), static_cast<std::uint32_t>(bytes.size())};
  if (must_store(role, chunk)) append(block(role), chunk, bytes);
  const bool kept = role == BlockRole::page || role == BlockRole::inlined;
  if (kept && store_->options_.keep) store_->options_.keep(chunk.id, bytes);
  return chunk.id;
}

std::vector<ChunkRef> ChunkSink::put_file(ByteView piece, std::span<const std::size_t> lengths, const FileHint& file) {
  std::vector<ChunkRef> chunks;
  chunks.reserve(lengths.size());
  // Neighbours that become raw blocks do so without being copied together first.
  std::size_t raw_chunks = 0, raw_bytes = 0, at = 0;
  const auto end_raw = [&] {
    append_raw(std::span(chunks).last(raw_chunks), piece.subspan(at - raw_bytes, raw_bytes));
    raw_chunks = raw_bytes = 0;
  };
  const bool shelved = file.size <= kShelvedFile && shelf_.is_for(file.name);
  for (const auto length : lengths) {
    const auto bytes = piece.subspan(at, length);
    const ChunkRef chunk{repo::chunk_id(store_->own_domain(), BlockRole::data, bytes), static_cast<std::uint32_t>(length)};
    const bool wanted = must_store(BlockRole::data, chunk);
    const bool raw = wanted && !scratch_.compressor.is_promising(bytes);
    if (!raw) end_raw();
    if (raw) {
      ++raw_chunks;
      raw_bytes += length;
    } else if (wanted && shelved) {
      shelve(chunk, bytes, file.name);
    } else if (wanted) {
      append(block(BlockRole::data), chunk, bytes);
    }
    chunks.push_back(chunk);
    at += length;
  }
  end_raw();
  return chunks;
}

void ChunkSink::append(Block& block, const ChunkRef& chunk, ByteView bytes) {
  if (block.plain.size() + bytes.size() > block.target && !block.chunks.empty()) seal(block, pack_kind(block.role));
  mbu::append(block.plain, bytes);
  block.chunks.push_back(chunk);
}

// Chunks that lie side by side: enough of them for a block are sealed where they lie.
void ChunkSink::append_raw(std::span<const ChunkRef> chunks, ByteView bytes) {
  auto& raw = block(BlockRole::data, Packing::raw);
  while (!chunks.empty()) {
    std::size_t count = 0, size = 0;
    while (count < chunks.size() && (count == 0 || size + chunks[count].length <= raw.target)) size += chunks[count++].length;
    if (size >= raw.target / 2) {
      seal(raw, bytes.first(size), chunks.first(count), data_pack);
    } else {
      std::size_t at = 0;
      for (const auto& chunk : chunks.first(count)) {
        append(raw, chunk, bytes.subspan(at, chunk.length));
        at += chunk.length;
      }
    }
    chunks = chunks.subspan(count);
    bytes = bytes.subspan(size);
  }
}

void ChunkSink::shelve(const ChunkRef& chunk, ByteView bytes, std::string_view file_name) {
  if (!shelf_.has_room_for(bytes.size())) clear_shelf();
  if (shelf_.has_room_for(bytes.size())) {
    shelf_.add(chunk, bytes, file_name);
  } else {
    append(block(BlockRole::data), chunk, bytes);
  }
}

void ChunkSink::clear_shelf() {
  auto& to = block(BlockRole::data);
  shelf_.clear_into([&](const ChunkRef& chunk, ByteView bytes, std::string_view) { append(to, chunk, bytes); });
}

void ChunkSink::seal(Block& block, PackKind into) {
  seal(block, block.plain, block.chunks, into);
  block.plain.clear();
  block.chunks.clear();
}

void ChunkSink::seal(const Block& kind, ByteView plain, std::span<const ChunkRef> chunks, PackKind into) {
  if (store_->options_.discard) return;
  auto& pack = packs_[into];
  if (!pack) pack.emplace(*store_->vault_, store_->options_.verify);
  pack->add(kind.role, kind.packing, plain, chunks, scratch_);
  if (pack->size() >= kPackTarget || pack->chunks() >= kPackChunks) close(into);
}

void ChunkSink::close(PackKind kind) {
  if (!packs_[kind]) return;
  store_->published(indexed(packs_[kind]->finish(scratch_)));
  packs_[kind].reset();
}

void ChunkSink::seal_most() {
  clear_shelf();
  for (auto& block : blocks_) {
    const auto into = pack_kind(block.role);
    // A listing pack is not begun for this: the first sink will write one for all.
    const bool may = block.role == BlockRole::data || packs_[into];
    if (may && block.plain.size() >= block.target / 2) seal(block, into);
  }
}

std::size_t ChunkSink::waiting_bytes() const {
  return std::accumulate(blocks_.begin(), blocks_.end(), shelf_.size_bytes(),
                         [](std::size_t sum, const Block& block) { return sum + block.plain.size(); });
}

void ChunkSink::take_over(ChunkSink& other) {
  other.shelf_.clear_into([&](const ChunkRef& chunk, ByteView bytes, std::string_view name) { shelve(chunk, bytes, name); });
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    auto& from = other.blocks_[i];
    ByteView rest = from.plain;
    for (const auto& chunk : from.chunks) {
      append(blocks_[i], chunk, rest.first(chunk.length));
      rest = rest.subspan(chunk.length);
    }
    from.plain = {};
    from.chunks = {};
  }
}

}  // namespace mbu::ingest
