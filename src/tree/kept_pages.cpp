#include "tree/kept_pages.hpp"

#include <unordered_set>

namespace mbu::tree {
namespace {

using format::BlockRole;

constexpr int kLevel = 1;
constexpr std::string_view kWhat = "a kept page";
// Sweeping reads all pages: not for a few.
constexpr std::uint64_t kLeastForSweep = 1000;

// A kept page is its length and a frame, or zero and the bytes as they are.
constexpr std::uint32_t kPlain = 0;

bool is_loss(const Error& error) noexcept { return error.code() == Code::corrupt || error.code() == Code::not_found; }

}  // namespace

KeptPages::KeptPages(std::unique_ptr<cache::Pages> pages)
    : pages_(std::move(pages)), compressor_(Compression{.level = kLevel}) {}

std::optional<ByteBuffer> KeptPages::find(const ChunkId& id) {
  const auto kept = pages_->find(id);
  if (!kept) return std::nullopt;
  Reader reader(*kept, std::string(kWhat));
  const auto length = reader.integer<std::uint32_t>();
  const auto rest = reader.rest();
  if (length == kPlain) return ByteBuffer(rest.begin(), rest.end());
  ByteBuffer bytes(length);
  const std::scoped_lock lock(mutex_);
  if (!decompressor_.decompress(rest, bytes)) return std::nullopt;
  return bytes;
}

void KeptPages::put(const ChunkId& id, ByteView bytes) {
  ByteBuffer kept;
  {
    const std::scoped_lock lock(mutex_);
    const bool smaller = compressor_.compress(bytes, frame_);
    append(kept, smaller ? static_cast<std::uint32_t>(bytes.size()) : kPlain);
    append(kept, smaller ? frame_.view() : bytes);
    ++put_;
  }
  pages_->put(id, kept);
}

std::vector<ChunkId> KeptPages::named_by(const format::Page& page) {
  std::vector<ChunkId> ids;
  for (const auto& child : page.children) ids.push_back(child.id);
  for (const auto& entry : page.entries) {
    if (entry.is_directory() && !entry.directory.is_zero()) ids.push_back(entry.directory);
  }
  return ids;
}

// Depth first, from below: a page is put when all it names has been.
void KeptPages::fill(const ChunkId& directory, const Read& read) {
  std::vector<Step> way;
  const auto enter = [&](const ChunkId& id) {
    if (pages_->has(id)) return;
    try {
      auto bytes = read(id, BlockRole::page);
      const auto page = format::decode_page(bytes, std::string(kWhat));
      if (!page.inline_chunk.is_zero() && !pages_->has(page.inline_chunk)) {
        put(page.inline_chunk, read(page.inline_chunk, BlockRole::inlined));
      }
      way.push_back({id, std::move(bytes), named_by(page)});
    } catch (const Error& error) {
      if (!is_loss(error)) throw;
    }
  };
  enter(directory);
  while (!way.empty()) {
    auto& last = way.back();
    if (last.below.empty()) {
      put(last.id, last.bytes);
      way.pop_back();
      continue;
    }
    const auto next = last.below.back();
    last.below.pop_back();
    enter(next);
  }
  live_ = std::exchange(put_, 0);
}

void KeptPages::tidy(const ChunkId& directory) {
  if (put_ < std::max(kLeastForSweep, live_)) return;
  std::unordered_set<ChunkId, IdentifierHash> live;
  std::vector<ChunkId> below{directory};
  while (!below.empty()) {
    const auto id = below.back();
    below.pop_back();
    if (!live.insert(id).second) continue;
    const auto bytes = find(id);
    if (!bytes) return;  // what it names is not known, and must not be taken for dead
    try {
      const auto page = format::decode_page(*bytes, std::string(kWhat));
      if (!page.inline_chunk.is_zero()) live.insert(page.inline_chunk);
      const auto named = named_by(page);
      below.insert(below.end(), named.begin(), named.end());
    } catch (const Error& error) {
      if (!is_loss(error)) throw;
    }
  }
  live_ = live.size();
  put_ = 0;
  pages_->sweep(live);
}

}  // namespace mbu::tree
