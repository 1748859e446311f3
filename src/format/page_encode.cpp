// Entries to columns. Owners and sets of attributes, which most entries of a directory share, go into tables; an entry
// is first compared with the one before, so that the usual case costs neither a hash nor an allocation.
#include <map>
#include <tuple>

#include "format/page_rules.hpp"
#include "format/flatbuffer.hpp"
#include "format/generated/page_generated.h"
#include "format/page.hpp"

namespace mbu::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using detail::BytesOffset;
using detail::kKeptFlags;
using detail::write_bytes;
using detail::write_ids;
using detail::write_vector;

constexpr std::uint32_t kLastNanosecond = detail::kNanosecondsPerSecond - 1;
constexpr std::size_t kMostOwners = 0x1'0000;

[[noreturn]] void refuse(const std::string& what, const std::string& name) {
  throw Error(Code::failed, "a directory has an entry that " + what, name);
}

std::span<const std::uint8_t> view_of(const std::string& text) { return as_bytes(text); }

bool less(const std::vector<Attribute>& a, const std::vector<Attribute>& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return std::tie(x.name, x.value) < std::tie(y.name, y.value);
  });
}

// The distinct owners of a page, in order of appearance.
class OwnerTable {
 public:
  std::uint16_t index_of(const Entry& entry) {
    if (last_ != nullptr && same(*last_, entry)) return last_index_;
    const auto next = static_cast<std::uint32_t>(owners_.size());
    const auto [found, added] = index_.try_emplace({entry.uid, entry.gid, entry.user, entry.group}, next);
    if (added) {
      if (owners_.size() == kMostOwners) refuse("is of one owner too many", entry.name);
      owners_.push_back(&entry);
    }
    last_ = &entry;
    return last_index_ = static_cast<std::uint16_t>(found->second);
  }

  auto write(FlatBufferBuilder& builder) const {
    std::vector<flatbuffers::Offset<fb::Owner>> tables;
    tables.reserve(owners_.size());
    for (const auto* owner : owners_) {
      const auto user = detail::write_text(builder, owner->user);
      tables.push_back(
          fb::CreateOwner(builder, owner->uid, owner->gid, user, detail::write_text(builder, owner->group)));
    }
    return detail::write_tables(builder, tables);
  }

 private:
  static bool same(const Entry& a, const Entry& b) noexcept {
    return a.uid == b.uid && a.gid == b.gid && a.user == b.user && a.group == b.group;
  }

  std::map<std::tuple<std::uint32_t, std::uint32_t, std::string_view, std::string_view>, std::uint32_t> index_;
  std::vector<const Entry*> owners_;  // an entry of each
  const Entry* last_ = nullptr;
  std::uint16_t last_index_ = 0;
};

// The distinct sets of attributes, in order of appearance.
class AttributeTable {
 public:
  std::uint32_t index_of(const std::vector<Attribute>& set) {
    if (last_ != nullptr && *last_ == set) return last_index_;
    const auto [found, added] = index_.try_emplace(&set, static_cast<std::uint32_t>(sets_.size()));
    if (added) sets_.push_back(&set);
    last_ = &set;
    return last_index_ = found->second;
  }

  auto write(FlatBufferBuilder& builder) const {
    std::vector<flatbuffers::Offset<fb::AttributeSet>> tables;
    tables.reserve(sets_.size());
    for (const auto* set : sets_) {
      std::vector<flatbuffers::Offset<fb::Attribute>> attributes;
      for (const auto& attribute : *set) {
        const auto name = write_bytes(builder, view_of(attribute.name));
        attributes.push_back(fb::CreateAttribute(builder, name, write_bytes(builder, attribute.value)));
      }
      tables.push_back(fb::CreateAttributeSet(builder, detail::write_tables(builder, attributes)));
    }
    return detail::write_tables(builder, tables);
  }

 private:
  struct Less {
    bool operator()(const std::vector<Attribute>* a, const std::vector<Attribute>* b) const { return less(*a, *b); }
  };
  std::map<const std::vector<Attribute>*, std::uint32_t, Less> index_;
  std::vector<const std::vector<Attribute>*> sets_;
  const std::vector<Attribute>* last_ = nullptr;
  std::uint32_t last_index_ = 0;
};

// Ids and lengths of chunks, in order.
struct ChunkColumns {
  ByteBuffer ids;
  std::vector<std::uint32_t> lengths;
  void add(const std::vector<ChunkRef>& chunks) {
    for (const auto& chunk : chunks) {
      append(ids, chunk.id.view());
      lengths.push_back(chunk.length);
    }
  }
};

flatbuffers::Offset<fb::Content> write_map(FlatBufferBuilder& builder, const SparseMap& map) {
  ChunkColumns chunks;
  BytesOffset tree;
  if (map.stored.kind == Content::Kind::direct) chunks.add(map.stored.chunks);
  if (map.stored.kind == Content::Kind::tree) tree = write_bytes(builder, map.stored.tree.view());
  const auto in_place = write_bytes(builder, map.encoded);
  const auto ids = write_bytes(builder, chunks.ids);
  const auto lengths = write_vector(builder, chunks.lengths);
  return fb::CreateContent(builder, in_place, ids, lengths, tree, tree.IsNull() ? 0 : map.stored.tree_level);
}

class LeafEncoder {
 public:
  explicit LeafEncoder(const Page& page) : page_(page) {
    const std::size_t n = page.entries.size();
    for (auto* column : {&name_lengths_, &modes_, &owner_index_}) column->reserve(n);
    for (auto* column : {&mtime_s_, &btime_s_}) column->reserve(n);
    for (auto* column : {&mtime_ns_, &btime_ns_, &chunks_.lengths}) column->reserve(n);
    for (auto* column : {&types_, &content_kinds_}) column->reserve(n);
    sizes_.reserve(n);
    names_.reserve(n * 24);
    chunks_.ids.reserve(n * ChunkId::kSize);
    for (const auto& entry : page.entries) add(entry);
    if (inline_length_ != page.inline_length || (inline_length_ != 0) == page.inline_chunk.is_zero()) {
      throw Error(Code::failed, "a directory's inlined contents do not add up");
    }
  }

  ByteBuffer finish();

 private:
  void add(const Entry& entry);
  void add_regular(const Entry& entry);
  void add_rare(const Entry& entry);
  [[nodiscard]] std::size_t size_estimate() const noexcept;

  const Page& page_;
  std::size_t expansion_ = 0;
  std::uint64_t inline_length_ = 0;
  const Entry* previous_ = nullptr;
  std::uint32_t row_ = 0;

  std::vector<std::uint16_t> name_lengths_, modes_, owner_index_, chunk_counts_;
  ByteBuffer names_, types_, content_kinds_, tree_ids_, tree_levels_, targets_, directory_ids_;
  std::vector<std::int64_t> mtime_s_, btime_s_;
  std::vector<std::uint32_t> mtime_ns_, btime_ns_, sparse_rows_, link_rows_, attribute_rows_, attribute_index_,
      flag_rows_, flags_;
  std::vector<std::uint64_t> sizes_, directory_files_, directory_dirs_, directory_bytes_, rdevs_, link_groups_;
  std::vector<const SparseMap*> sparse_maps_;
  ChunkColumns chunks_;
  OwnerTable owners_;
  AttributeTable attributes_;
};

void LeafEncoder::add(const Entry& entry) {
  if (const char* defect = detail::defect_of(entry)) refuse(defect, entry.name);
  if (previous_ != nullptr && previous_->name >= entry.name) refuse("does not come behind the one before", entry.name);
  previous_ = &entry;
  expansion_ += detail::expansion_of(entry.user, entry.group) + detail::expansion_of(entry.attributes);
  if (expansion_ > detail::kLargestExpansion) refuse("has too many attributes for its page", entry.name);

  name_lengths_.push_back(static_cast<std::uint16_t>(entry.name.size()));
  append(names_, view_of(entry.name));
  types_.push_back(static_cast<std::uint8_t>(entry.type));
  modes_.push_back(static_cast<std::uint16_t>(entry.mode & detail::kModeBits));
  owner_index_.push_back(owners_.index_of(entry));
  mtime_s_.push_back(entry.mtime.seconds);
  mtime_ns_.push_back(std::min(entry.mtime.nanoseconds, kLastNanosecond));
  btime_s_.push_back(entry.btime ? entry.btime->seconds : 0);
  btime_ns_.push_back(entry.btime ? std::min(entry.btime->nanoseconds, kLastNanosecond) : detail::kUnknownTime);
  sizes_.push_back(entry.size);

  switch (entry.type) {
    case EntryType::directory:
      append(directory_ids_, entry.directory.view());
      directory_files_.push_back(entry.directory_files);
      directory_dirs_.push_back(entry.directory_dirs);
      directory_bytes_.push_back(entry.directory_bytes);
      break;
    case EntryType::regular: add_regular(entry); break;
    case EntryType::symlink: append(targets_, view_of(entry.target)); break;
    case EntryType::character_device:
    case EntryType::block_device: rdevs_.push_back(entry.rdev); break;
    case EntryType::fifo:
    case EntryType::socket: break;
  }
  add_rare(entry);
  ++row_;
}

void LeafEncoder::add_regular(const Entry& entry) {
  const auto& content = entry.content;
  content_kinds_.push_back(static_cast<std::uint8_t>(content.kind));
  switch (content.kind) {
    case Content::Kind::empty: break;
    case Content::Kind::inlined:
      if (content.inline_offset != inline_length_) refuse("is not where the one before ends", entry.name);
      inline_length_ += *detail::data_length(entry);
      if (inline_length_ > kLargestChunk) refuse("is too large to be inlined", entry.name);
      break;
    case Content::Kind::direct:
      chunk_counts_.push_back(static_cast<std::uint16_t>(content.chunks.size()));
      chunks_.add(content.chunks);
      break;
    case Content::Kind::tree:
      append(tree_ids_, content.tree.view());
      tree_levels_.push_back(content.tree_level);
      break;
  }
  if (entry.sparse) {
    sparse_rows_.push_back(row_);
    sparse_maps_.push_back(entry.sparse.get());
  }
}

void LeafEncoder::add_rare(const Entry& entry) {
  if (entry.link_group != 0) {
    link_rows_.push_back(row_);
    link_groups_.push_back(entry.link_group);
  }
  if (!entry.attributes.empty()) {
    attribute_rows_.push_back(row_);
    attribute_index_.push_back(attributes_.index_of(entry.attributes));
  }
  if ((entry.flags & kKeptFlags) != 0) {
    flag_rows_.push_back(row_);
    flags_.push_back(entry.flags & kKeptFlags);
  }
}

// Near enough that the builder seldom has to grow.
std::size_t LeafEncoder::size_estimate() const noexcept {
  return kPageOverhead + names_.size() + targets_.size() + page_.entries.size() * 48 + chunks_.lengths.size() * 36 +
         tree_ids_.size() + directory_files_.size() * 56;
}

ByteBuffer LeafEncoder::finish() {
  FlatBufferBuilder builder(size_estimate());
  std::vector<flatbuffers::Offset<fb::Content>> map_tables;
  for (const auto* map : sparse_maps_) map_tables.push_back(write_map(builder, *map));
  const auto sparse_maps = detail::write_tables(builder, map_tables);
  const auto attribute_sets = attributes_.write(builder);
  const auto owners = owners_.write(builder);
  const auto name_lengths = write_vector(builder, name_lengths_);
  const auto names = write_bytes(builder, names_);
  const auto types = write_bytes(builder, types_);
  const auto modes = write_vector(builder, modes_);
  const auto owner_index = write_vector(builder, owner_index_);
  const auto mtime_s = write_vector(builder, mtime_s_);
  const auto mtime_ns = write_vector(builder, mtime_ns_);
  const auto btime_s = write_vector(builder, btime_s_);
  const auto btime_ns = write_vector(builder, btime_ns_);
  const auto sizes = write_vector(builder, sizes_);
  const auto directory_ids = write_bytes(builder, directory_ids_);
  const auto directory_files = write_vector(builder, directory_files_);
  const auto directory_dirs = write_vector(builder, directory_dirs_);
  const auto directory_bytes = write_vector(builder, directory_bytes_);
  const auto content_kinds = write_bytes(builder, content_kinds_);
  const auto chunk_counts = write_vector(builder, chunk_counts_);
  const auto chunk_ids = write_bytes(builder, chunks_.ids);
  const auto chunk_lengths = write_vector(builder, chunks_.lengths);
  const auto tree_ids = write_bytes(builder, tree_ids_);
  const auto tree_levels = write_bytes(builder, tree_levels_);
  const auto inline_chunk = inline_length_ == 0 ? BytesOffset() : write_bytes(builder, page_.inline_chunk.view());
  const auto targets = write_bytes(builder, targets_);
  const auto rdevs = write_vector(builder, rdevs_);
  const auto sparse_rows = write_vector(builder, sparse_rows_);
  const auto link_rows = write_vector(builder, link_rows_);
  const auto link_groups = write_vector(builder, link_groups_);
  const auto attribute_rows = write_vector(builder, attribute_rows_);
  const auto attribute_index = write_vector(builder, attribute_index_);
  const auto flag_rows = write_vector(builder, flag_rows_);
  const auto flags = write_vector(builder, flags_);
  builder.Finish(fb::CreatePage(
      builder, 0, 0, 0, 0, 0, name_lengths, names, types, modes, owner_index, mtime_s, mtime_ns, btime_s, btime_ns,
      sizes, owners, directory_ids, directory_files, directory_dirs, directory_bytes, content_kinds, chunk_counts,
      chunk_ids, chunk_lengths, tree_ids, tree_levels, inline_chunk, static_cast<std::uint32_t>(inline_length_),
      targets, rdevs, sparse_rows, sparse_maps, link_rows, link_groups, attribute_rows, attribute_index,
      attribute_sets, flag_rows, flags));
  return detail::take(builder);
}

ByteBuffer encode_inner(const Page& page) {
  if (const char* defect = detail::defect_of_inner(page)) {
    throw Error(Code::failed, std::string("a directory's inner page ") + defect);
  }
  FlatBufferBuilder builder;
  std::vector<std::uint64_t> entry_counts;
  std::vector<std::uint16_t> lengths;
  ByteBuffer all_names;
  for (const auto& child : page.children) {
    entry_counts.push_back(child.entries);
    lengths.push_back(static_cast<std::uint16_t>(child.first_name.size()));
    append(all_names, view_of(child.first_name));
  }
  const auto ids = write_ids(builder, page.children, [](const PageChild& child) -> const ChunkId& { return child.id; });
  const auto entries = write_vector(builder, entry_counts);
  const auto name_lengths = write_vector(builder, lengths);
  const auto names = write_bytes(builder, all_names);
  builder.Finish(fb::CreatePage(builder, page.level, ids, entries, name_lengths, names));
  return detail::take(builder);
}

}  // namespace

ByteBuffer encode_page(const Page& page) {
  if (page.level == 0 && !page.children.empty()) throw Error(Code::failed, "a directory's leaf has pages below it");
  auto bytes = page.level == 0 ? LeafEncoder(page).finish() : encode_inner(page);
  if (bytes.size() > kLargestChunk) throw Error(Code::failed, "a page of a directory is longer than a chunk");
  return bytes;
}

}  // namespace mbu::format
