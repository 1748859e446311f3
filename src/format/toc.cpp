#include "format/toc.hpp"

#include "format/body.hpp"
#include "format/toc_table.hpp"

namespace mbu::format {
namespace {

constexpr std::string_view kTrailerMagic = "MBUPEND1";
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kBlockWeight = 3 * sizeof(std::uint32_t) + 2 + kTagSize;
template <class Chunk>
constexpr std::size_t kIdSize = decltype(Chunk::id)::kSize;
template <class Chunk>
constexpr std::size_t kChunkWeight = kIdSize<Chunk> + sizeof(std::uint32_t);
constexpr std::size_t kTableWeight = 256;
constexpr std::size_t kTocGranularity = 64;
constexpr std::size_t kShortestSealedToc = kTocGranularity + kTagSize;

static_assert(kMostBlocks * kBlockWeight + kMostChunks * kChunkWeight<ChunkRef> + kTableWeight < kLargestTocPlain);

bool is_known(BlockRole role) noexcept {
  switch (role) {
    case BlockRole::data:
    case BlockRole::list:
    case BlockRole::page:
    case BlockRole::inlined:
    case BlockRole::padding: return true;
  }
  return false;
}

// What is wrong with a block and its chunks, or null.
template <class Chunk>
const char* defect_of(const BlockEntry& block, std::span<const Chunk> chunks) noexcept {
  if (!is_known(block.role)) return "has a block of a role that is not known";
  if (block.plain == 0 || block.plain > kLargestBlock) return "has a block of an impossible length";
  switch (block.method) {
    case BlockMethod::raw:
      if (block.stored != block.plain) return "has a raw block whose lengths differ";
      break;
    case BlockMethod::zstd:
      if (block.stored == 0 || block.stored > kLargestStored) return "has a block of an impossible length";
      break;
    default: return "has a block of a method that is not known";
  }
  if (block.role == BlockRole::padding) {
    if (block.method != BlockMethod::raw || !chunks.empty()) return "has a padding block that holds something";
    return nullptr;
  }
  std::uint64_t sum = 0;
  for (const auto& chunk : chunks) {
    if (chunk.length == 0 || chunk.length > kLargestChunk) return "has a chunk of an impossible length";
    if (chunk.id.is_zero()) return "names a chunk that cannot exist";
    sum += chunk.length;
  }
  if (sum != block.plain) return "has a block whose chunks do not add up to it";
  return nullptr;
}

// What is wrong with a toc, or null.
template <class Chunk>
const char* defect_of(const TocOf<Chunk>& toc) noexcept {
  if (toc.blocks.size() > kMostBlocks) return "has too many blocks";
  if (toc.chunks.size() > kMostChunks) return "has too many chunks";
  std::span<const Chunk> rest(toc.chunks);
  for (std::size_t i = 0; i < toc.blocks.size(); ++i) {
    const auto& block = toc.blocks[i];
    if (block.chunks > rest.size()) return "has a block whose chunks are missing";
    if (const char* defect = defect_of(block, rest.first(block.chunks))) return defect;
    if (block.role == BlockRole::padding && i + 1 != toc.blocks.size()) return "has a padding block that is not the last";
    rest = rest.subspan(block.chunks);
  }
  if (!rest.empty()) return "has chunks that are in no block";
  if (stored_size(toc.blocks) > kLargestPack) return "has blocks that add up to more than a pack can hold";
  return nullptr;
}

template <class T, class Of>
std::vector<T> column_of(const std::vector<BlockEntry>& blocks, Of of) {
  std::vector<T> column;
  column.reserve(blocks.size());
  for (const auto& block : blocks) column.push_back(static_cast<T>(of(block)));
  return column;
}

}  // namespace

namespace detail {

template <class Chunk>
std::size_t toc_weight(const TocOf<Chunk>& toc) noexcept {
  return toc.blocks.size() * kBlockWeight + toc.chunks.size() * kChunkWeight<Chunk> + kTableWeight;
}

template <class Chunk>
flatbuffers::Offset<fb::Toc> write_toc(flatbuffers::FlatBufferBuilder& builder, const TocOf<Chunk>& toc) {
  if (const char* defect = defect_of(toc)) throw Error(Code::failed, std::string("a pack ") + defect);
  const auto& blocks = toc.blocks;
  const auto stored = write_vector(builder, column_of<std::uint32_t>(blocks, [](auto& b) { return b.stored; }));
  const auto plain = write_vector(builder, column_of<std::uint32_t>(blocks, [](auto& b) { return b.plain; }));
  const auto chunks = write_vector(builder, column_of<std::uint32_t>(blocks, [](auto& b) { return b.chunks; }));
  const auto roles = write_vector(builder, column_of<std::uint8_t>(blocks, [](auto& b) { return b.role; }));
  const auto methods = write_vector(builder, column_of<std::uint8_t>(blocks, [](auto& b) { return b.method; }));
  ByteBuffer all_tags;
  all_tags.reserve(blocks.size() * kTagSize);
  for (const auto& block : blocks) append(all_tags, ByteView(block.tag));
  const auto tags = write_bytes(builder, all_tags);
  const auto ids = write_ids(builder, toc.chunks, [](const Chunk& chunk) -> const auto& { return chunk.id; });
  std::vector<std::uint32_t> all_lengths;
  all_lengths.reserve(toc.chunks.size());
  for (const auto& chunk : toc.chunks) all_lengths.push_back(chunk.length);
  const auto lengths = write_vector(builder, all_lengths);
  return fb::CreateToc(builder, stored, plain, chunks, roles, methods, tags, ids, lengths);
}

template <class Chunk>
TocOf<Chunk> read_toc(FlatReader& reader, const fb::Toc& table) {
  const auto stored = reader.column(table.block_stored());
  const auto plain = reader.column(table.block_plain());
  const auto counts = reader.column(table.block_chunks());
  const auto roles = reader.column(table.block_roles());
  const auto methods = reader.column(table.block_methods());
  const auto tags = reader.bytes(table.block_tags());
  const std::size_t blocks = stored.size();
  reader.require(plain.size() == blocks && counts.size() == blocks && roles.size() == blocks &&
                     methods.size() == blocks && tags.size() == blocks * kTagSize,
                 "has block vectors of different lengths");
  const auto ids = reader.bytes(table.chunk_ids());
  const auto lengths = reader.column(table.chunk_lengths());
  const std::size_t chunks = lengths.size();
  reader.require(ids.size() == chunks * kIdSize<Chunk>, "has chunk vectors of different lengths");
  reader.require(blocks <= kMostBlocks, "has too many blocks");
  reader.require(chunks <= kMostChunks, "has too many chunks");

  TocOf<Chunk> toc;
  toc.blocks.resize(blocks);
  for (std::size_t i = 0; i < blocks; ++i) {
    auto& block = toc.blocks[i];
    block.stored = stored[i];
    block.plain = plain[i];
    block.chunks = counts[i];
    block.role = static_cast<BlockRole>(roles[i]);
    block.method = static_cast<BlockMethod>(methods[i]);
    const auto tag = tags.subspan(i * kTagSize, kTagSize);
    std::copy(tag.begin(), tag.end(), block.tag.begin());
  }
  toc.chunks.resize(chunks);
  for (std::size_t i = 0; i < chunks; ++i) {
    toc.chunks[i] = {decltype(Chunk::id)::from(ids.subspan(i * kIdSize<Chunk>, kIdSize<Chunk>)), lengths[i]};
  }
  if (const char* defect = defect_of(toc)) corrupt(defect, reader.subject());
  return toc;
}

template std::size_t toc_weight(const Toc&) noexcept;
template std::size_t toc_weight(const IndexedToc&) noexcept;
template flatbuffers::Offset<fb::Toc> write_toc(flatbuffers::FlatBufferBuilder&, const Toc&);
template flatbuffers::Offset<fb::Toc> write_toc(flatbuffers::FlatBufferBuilder&, const IndexedToc&);
template Toc read_toc(FlatReader&, const fb::Toc&);
template IndexedToc read_toc(FlatReader&, const fb::Toc&);

}  // namespace detail

ByteBuffer encode_toc(const Toc& toc) {
  flatbuffers::FlatBufferBuilder builder(detail::toc_weight(toc));
  builder.Finish(detail::write_toc(builder, toc));
  return detail::take(builder);
}

Toc decode_toc(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  return detail::read_toc<ChunkRef>(reader, reader.root<fb::Toc>());
}

std::uint64_t stored_size(const std::vector<BlockEntry>& blocks) noexcept {
  std::uint64_t sum = 0;
  for (const auto& block : blocks) sum += block.stored;
  return sum;
}

ByteBuffer encode_trailer(const PackTrailer& trailer) {
  ByteBuffer bytes;
  bytes.reserve(kTrailerSize);
  append(bytes, trailer.toc_length);
  append(bytes, std::uint32_t{0});
  append(bytes, as_bytes(kTrailerMagic));
  return bytes;
}

PackTrailer decode_trailer(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  PackTrailer trailer;
  trailer.toc_length = reader.integer<std::uint32_t>();
  reader.expect_zero(4);
  if (as_text(reader.take(kTrailerMagic.size())) != kTrailerMagic || !reader.rest().empty()) {
    throw Error(Code::corrupt, "does not end like a pack", subject);
  }
  if (trailer.toc_length < kShortestSealedToc || (trailer.toc_length - kTagSize) % kTocGranularity != 0) {
    throw Error(Code::corrupt, "has a table of contents of an impossible length", subject);
  }
  return trailer;
}

std::array<std::uint8_t, kBlockAadSize> block_aad(ByteView header_hash, std::uint32_t number, const BlockEntry& block) {
  std::array<std::uint8_t, kBlockAadSize> aad{};
  const MutableBytes to(aad);
  std::copy_n(header_hash.begin(), kHashSize, aad.begin());
  write_integer(to.subspan(kHashSize), number);
  aad[kHashSize + 4] = static_cast<std::uint8_t>(block.role);
  aad[kHashSize + 5] = static_cast<std::uint8_t>(block.method);
  write_integer(to.subspan(kHashSize + 8), block.plain);
  return aad;
}

std::array<std::uint8_t, 12> block_nonce(std::uint32_t number) noexcept {
  std::array<std::uint8_t, 12> nonce{};
  write_integer(MutableBytes(nonce), number);
  return nonce;
}

}  // namespace mbu::format
