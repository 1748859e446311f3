#include "format/index.hpp"

#include "format/body.hpp"
#include "format/header.hpp"
#include "format/toc_table.hpp"

namespace mbu::format {
namespace {

constexpr std::size_t kPackWeight = 512;
constexpr std::uint64_t kTocGranularity = 64;

// Whether header, blocks, some sealed toc, signature and trailer can make up the pack's size.
bool size_fits(const IndexedPack& pack) noexcept {
  const std::uint64_t around = kSealedHeaderSize + stored_size(pack.toc.blocks) + kTagSize + kSignatureSize + kTrailerSize;
  if (pack.size > kLargestPack || pack.size < around + kTocGranularity) return false;
  return (pack.size - around) % kTocGranularity == 0;
}

IndexedPack read_pack(detail::FlatReader& reader, const fb::IndexedPack& table) {
  IndexedPack pack;
  pack.name = reader.identifier<ObjectName>(table.name(), "has a pack's name of the wrong length");
  pack.size = table.size();
  const auto header = reader.bytes(table.header());
  reader.require(header.size() == kSealedHeaderSize, "has a pack's header of the wrong length");
  static_cast<void>(decode_header(header, ObjectKind::pack, reader.subject()));
  pack.header.assign(header.begin(), header.end());
  pack.writer = reader.identifier<PublicKey>(table.writer(), "has a writer's key of the wrong length");
  reader.require(table.toc() != nullptr, "has a pack without a table of contents");
  pack.toc = detail::read_toc<IndexedChunk>(reader, *table.toc());
  reader.require(size_fits(pack), "has a pack whose parts do not add up to its size");
  return pack;
}

}  // namespace

IndexedPack indexed(DescribedPack pack) {
  IndexedPack result{pack.name, pack.size, std::move(pack.header), pack.writer, {std::move(pack.toc.blocks), {}}};
  result.toc.chunks.reserve(pack.toc.chunks.size());
  for (const auto& chunk : pack.toc.chunks) result.toc.chunks.push_back({prefix_of(chunk.id), chunk.length});
  return result;
}

ByteBuffer encode_index(const Index& index) {
  std::size_t weight = kPackWeight + index.supersedes.size() * ObjectName::kSize;
  for (const auto& pack : index.packs) weight += kPackWeight + detail::toc_weight(pack.toc);
  if (weight > kLargestBodyPlain) throw Error(Code::failed, "an index would be too large");

  flatbuffers::FlatBufferBuilder builder(weight);
  std::vector<flatbuffers::Offset<fb::IndexedPack>> tables;
  tables.reserve(index.packs.size());
  for (const auto& pack : index.packs) {
    const auto toc = detail::write_toc(builder, pack.toc);
    const auto name = detail::write_bytes(builder, pack.name.view());
    const auto header = detail::write_bytes(builder, pack.header);
    const auto writer = detail::write_bytes(builder, pack.writer.view());
    tables.push_back(fb::CreateIndexedPack(builder, name, pack.size, header, writer, toc));
  }
  const auto packs = detail::write_tables(builder, tables);
  const auto supersedes = detail::write_ids(builder, index.supersedes);
  builder.Finish(fb::CreateIndex(builder, packs, supersedes));
  return detail::take(builder);
}

Index decode_index(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  const auto& root = reader.root<fb::Index>();
  Index index;
  reader.for_each(root.packs(), [&](const fb::IndexedPack& table) { index.packs.push_back(read_pack(reader, table)); });
  index.supersedes = reader.identifiers<ObjectName>(root.supersedes(), "has a list of indexes of the wrong length");
  return index;
}

}  // namespace mbu::format
