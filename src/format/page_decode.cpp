// Columns to entries. Every column has a cursor that gives an entry its share, or refuses; when the last entry is made all must
// be used up. What holds for entries themselves is page_rules.hpp's.
#include "format/flatbuffer.hpp"
#include "format/generated/page_generated.h"
#include "format/page.hpp"
#include "format/page_rules.hpp"

namespace mbu::format {
namespace {

using detail::FlatReader;
using detail::kNanosecondsPerSecond;

// Takes elements of a column one after the other.
template <class T>
class Cursor {
 public:
  Cursor(FlatReader& reader, const flatbuffers::Vector<T>* vector) : reader_(&reader), column_(reader.column(vector)) {}
  [[nodiscard]] T take() {
    reader_->require(!done(), "has entries that a column has nothing for");
    return column_[next_++];
  }
  [[nodiscard]] bool done() const noexcept { return next_ == column_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return column_.size(); }
  // The next element, which take() will give; not when done().
  [[nodiscard]] T peek() const noexcept { return column_[next_]; }
  [[nodiscard]] T operator[](std::size_t i) const noexcept { return column_[i]; }

 private:
  const FlatReader* reader_;
  detail::Column<T> column_;
  std::size_t next_ = 0;
};

class ByteCursor {
 public:
  ByteCursor(FlatReader& reader, const flatbuffers::Vector<std::uint8_t>* vector)
      : reader_(&reader), rest_(reader.bytes(vector)) {}
  [[nodiscard]] ByteView take(std::uint64_t size) {
    reader_->require(size <= rest_.size(), "has entries that a column has nothing for");
    const auto piece = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(piece.size());
    return piece;
  }
  [[nodiscard]] std::string text(std::uint64_t size) { return std::string(as_text(take(size))); }
  [[nodiscard]] ChunkId id() { return ChunkId::from(take(ChunkId::kSize)); }
  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

 private:
  const FlatReader* reader_;
  ByteView rest_;
};

// A column that only some entries have: takes whether `row` is the next that has one.
bool take_row(Cursor<std::uint32_t>& rows, std::uint32_t row) {
  if (rows.done() || rows.peek() != row) return false;
  static_cast<void>(rows.take());
  return true;
}

std::vector<ChunkRef> take_chunks(ByteCursor& ids, Cursor<std::uint32_t>& lengths, std::size_t count) {
  // Before memory is taken for them.
  auto bytes = ids.take(std::uint64_t{count} * ChunkId::kSize);
  std::vector<ChunkRef> chunks;
  chunks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    chunks.push_back({ChunkId::from(bytes.subspan(i * ChunkId::kSize, ChunkId::kSize)), lengths.take()});
  }
  return chunks;
}

struct Owner {
  std::uint32_t uid, gid;
  std::string user, group;
};

SparseMap read_map(FlatReader& reader, const fb::Content& table) {
  SparseMap map;
  const auto in_place = reader.bytes(table.inline_());
  map.encoded.assign(in_place.begin(), in_place.end());
  ByteCursor ids(reader, table.chunk_ids());
  Cursor<std::uint32_t> lengths(reader, table.chunk_lengths());
  auto& stored = map.stored;
  if (lengths.size() != 0) {
    stored.kind = Content::Kind::direct;
    stored.chunks = take_chunks(ids, lengths, lengths.size());
  }
  reader.require(ids.done(), "has a sparse map with more ids than chunks");
  if (const auto tree = reader.identifier_if_any<ChunkId>(table.tree_id(), "has a sparse map with a malformed id")) {
    reader.require(stored.kind == Content::Kind::empty, "has a sparse map in two places");
    stored.kind = Content::Kind::tree;
    stored.tree = *tree;
    stored.tree_level = table.tree_level();
  }
  return map;
}

class LeafDecoder {
 public:
  LeafDecoder(FlatReader& reader, const fb::Page& page);
  Page decode();

 private:
  Entry next();
  void read_owner(Entry& entry);
  void read_times(Entry& entry);
  void read_kind(Entry& entry);
  void read_content(Entry& entry);
  void read_rare(Entry& entry);
  void place_inlined(Entry& entry);
  void expand(std::size_t size);
  [[nodiscard]] bool columns_match() const noexcept;
  [[nodiscard]] bool all_used() const noexcept;

  FlatReader& reader_;
  const fb::Page& page_;
  Cursor<std::uint16_t> name_lengths_;
  ByteCursor names_;
  Cursor<std::uint8_t> types_;
  Cursor<std::uint16_t> modes_, owner_index_;
  Cursor<std::int64_t> mtime_s_;
  Cursor<std::uint32_t> mtime_ns_;
  Cursor<std::int64_t> btime_s_;
  Cursor<std::uint32_t> btime_ns_;
  Cursor<std::uint64_t> sizes_;
  ByteCursor directory_ids_;
  Cursor<std::uint64_t> directory_files_, directory_dirs_, directory_bytes_;
  Cursor<std::uint8_t> content_kinds_;
  Cursor<std::uint16_t> chunk_counts_;
  ByteCursor chunk_ids_;
  Cursor<std::uint32_t> chunk_lengths_;
  ByteCursor tree_ids_;
  Cursor<std::uint8_t> tree_levels_;
  ByteCursor targets_;
  Cursor<std::uint64_t> rdevs_;
  Cursor<std::uint32_t> sparse_rows_, link_rows_;
  Cursor<std::uint64_t> link_groups_;
  Cursor<std::uint32_t> attribute_rows_, attribute_index_, flag_rows_, flags_;
  flatbuffers::uoffset_t sparse_maps_;
  std::vector<Owner> owners_;
  std::vector<std::vector<Attribute>> attribute_sets_;

  std::uint32_t row_ = 0;
  std::uint32_t sparse_row_ = 0;
  std::uint64_t inline_length_ = 0;
  std::size_t expansion_ = 0;
};

LeafDecoder::LeafDecoder(FlatReader& reader, const fb::Page& page)
    : reader_(reader),
      page_(page),
      name_lengths_(reader, page.name_lengths()),
      names_(reader, page.names()),
      types_(reader, page.types()),
      modes_(reader, page.modes()),
      owner_index_(reader, page.owner_index()),
      mtime_s_(reader, page.mtime_s()),
      mtime_ns_(reader, page.mtime_ns()),
      btime_s_(reader, page.btime_s()),
      btime_ns_(reader, page.btime_ns()),
      sizes_(reader, page.sizes()),
      directory_ids_(reader, page.directory_ids()),
      directory_files_(reader, page.directory_files()),
      directory_dirs_(reader, page.directory_dirs()),
      directory_bytes_(reader, page.directory_bytes()),
      content_kinds_(reader, page.content_kinds()),
      chunk_counts_(reader, page.chunk_counts()),
      chunk_ids_(reader, page.chunk_ids()),
      chunk_lengths_(reader, page.chunk_lengths()),
      tree_ids_(reader, page.tree_ids()),
      tree_levels_(reader, page.tree_levels()),
      targets_(reader, page.targets()),
      rdevs_(reader, page.rdevs()),
      sparse_rows_(reader, page.sparse_rows()),
      link_rows_(reader, page.link_rows()),
      link_groups_(reader, page.link_groups()),
      attribute_rows_(reader, page.attribute_rows()),
      attribute_index_(reader, page.attribute_index()),
      flag_rows_(reader, page.flag_rows()),
      flags_(reader, page.flags()),
      sparse_maps_(reader.size(page.sparse_maps())) {
  reader.for_each(page.owners(), [&](const fb::Owner& owner) {
    owners_.push_back({owner.uid(), owner.gid(), reader.text(owner.user()), reader.text(owner.group())});
  });
  reader.for_each(page.attribute_sets(), [&](const fb::AttributeSet& table) {
    auto& set = attribute_sets_.emplace_back();
    reader.for_each(table.attributes(), [&](const fb::Attribute& attribute) {
      const auto name = as_text(reader.bytes(attribute.name()));
      const auto value = reader.bytes(attribute.value());
      set.push_back({std::string(name), ByteBuffer(value.begin(), value.end())});
    });
  });
}

// Counts what is about to be copied.
void LeafDecoder::expand(std::size_t size) {
  expansion_ += size;
  reader_.require(expansion_ <= detail::kLargestExpansion, "has too many attributes");
}

void LeafDecoder::read_owner(Entry& entry) {
  const std::size_t index = owner_index_.take();
  reader_.require(index < owners_.size(), "has an entry whose owner is not in it");
  const auto& owner = owners_[index];
  expand(detail::expansion_of(owner.user, owner.group));
  entry.uid = owner.uid;
  entry.gid = owner.gid;
  entry.user = owner.user;
  entry.group = owner.group;
}

void LeafDecoder::read_times(Entry& entry) {
  entry.mtime = {mtime_s_.take(), mtime_ns_.take()};
  reader_.require(entry.mtime.nanoseconds < kNanosecondsPerSecond, "has an entry with an impossible time");
  const FileTime btime{btime_s_.take(), btime_ns_.take()};
  if (btime.nanoseconds == detail::kUnknownTime) return;
  reader_.require(btime.nanoseconds < kNanosecondsPerSecond, "has an entry with an impossible time");
  entry.btime = btime;
}

void LeafDecoder::read_content(Entry& entry) {
  auto& content = entry.content;
  content.kind = static_cast<Content::Kind>(content_kinds_.take());
  switch (content.kind) {
    case Content::Kind::direct: content.chunks = take_chunks(chunk_ids_, chunk_lengths_, chunk_counts_.take()); break;
    case Content::Kind::tree:
      content.tree = tree_ids_.id();
      content.tree_level = tree_levels_.take();
      break;
    default: break;
  }
}

void LeafDecoder::read_kind(Entry& entry) {
  entry.type = static_cast<EntryType>(types_.take());
  entry.size = sizes_.take();
  switch (entry.type) {
    case EntryType::directory:
      entry.directory = directory_ids_.id();
      entry.directory_files = directory_files_.take();
      entry.directory_dirs = directory_dirs_.take();
      entry.directory_bytes = directory_bytes_.take();
      break;
    case EntryType::regular: read_content(entry); break;
    case EntryType::symlink: entry.target = targets_.text(entry.size); break;
    case EntryType::character_device:
    case EntryType::block_device: entry.rdev = rdevs_.take(); break;
    default: break;
  }
}

void LeafDecoder::read_rare(Entry& entry) {
  if (take_row(sparse_rows_, row_)) {
    reader_.require(sparse_row_ < sparse_maps_, "has fewer sparse maps than rows for them");
    entry.sparse = std::make_unique<SparseMap>(read_map(reader_, *page_.sparse_maps()->Get(sparse_row_++)));
  }
  if (take_row(link_rows_, row_)) {
    entry.link_group = link_groups_.take();
    reader_.require(entry.link_group != 0, "has a group of links without a number");
  }
  if (take_row(attribute_rows_, row_)) {
    const std::size_t index = attribute_index_.take();
    reader_.require(index < attribute_sets_.size(), "has an entry whose attributes are not in it");
    expand(detail::expansion_of(attribute_sets_[index]));
    entry.attributes = attribute_sets_[index];
  }
  if (take_row(flag_rows_, row_)) {
    entry.flags = flags_.take();
    reader_.require((entry.flags & ~detail::kKeptFlags) == 0, "has an entry with flags that are not known");
  }
}

void LeafDecoder::place_inlined(Entry& entry) {
  if (!entry.is_regular() || entry.content.kind != Content::Kind::inlined) return;
  entry.content.inline_offset = static_cast<std::uint32_t>(inline_length_);
  inline_length_ += *detail::data_length(entry);
  reader_.require(inline_length_ <= page_.inline_length() && inline_length_ <= kLargestChunk,
                  "has inlined contents that are longer than their chunk");
}

Entry LeafDecoder::next() {
  Entry entry;
  entry.name = names_.text(name_lengths_.take());
  read_kind(entry);
  entry.mode = modes_.take();
  reader_.require(entry.mode <= detail::kModeBits, "has an entry with an impossible mode");
  read_owner(entry);
  read_times(entry);
  read_rare(entry);
  if (const char* defect = detail::defect_of(entry)) {
    throw Error(Code::corrupt, std::string("has an entry that ") + defect, reader_.subject());
  }
  place_inlined(entry);
  ++row_;
  return entry;
}

// Whether the columns that every entry has are of one length.
bool LeafDecoder::columns_match() const noexcept {
  const std::size_t count = name_lengths_.size();
  return types_.size() == count && modes_.size() == count && owner_index_.size() == count &&
         mtime_s_.size() == count && mtime_ns_.size() == count && btime_s_.size() == count &&
         btime_ns_.size() == count && sizes_.size() == count;
}

bool LeafDecoder::all_used() const noexcept {
  return names_.done() && directory_ids_.done() && directory_files_.done() && directory_dirs_.done() && directory_bytes_.done() &&
         content_kinds_.done() && chunk_counts_.done() && chunk_ids_.done() && chunk_lengths_.done() &&
         tree_ids_.done() && tree_levels_.done() && targets_.done() && rdevs_.done() && sparse_rows_.done() &&
         sparse_row_ == sparse_maps_ && link_rows_.done() && link_groups_.done() && attribute_rows_.done() &&
         attribute_index_.done() && flag_rows_.done() && flags_.done();
}

Page LeafDecoder::decode() {
  Page page;
  const std::size_t count = name_lengths_.size();
  // Before memory is taken for entries, of which name_lengths alone could promise very many.
  reader_.require(columns_match(), "has columns of different lengths");
  page.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto entry = next();
    reader_.require(i == 0 || page.entries.back().name < entry.name, "has names that are not sorted");
    page.entries.push_back(std::move(entry));
  }
  reader_.require(all_used(), "has columns that are longer than its entries need");
  page.inline_length = page_.inline_length();
  reader_.require(inline_length_ == page.inline_length, "has an inline chunk that its entries do not fill");
  const auto chunk = reader_.identifier_if_any<ChunkId>(page_.inline_chunk(), "has a malformed id");
  page.inline_chunk = chunk.value_or(ChunkId{});
  reader_.require(page.inline_chunk.is_zero() == (page.inline_length == 0), "has inlined contents, but no chunk of them");
  return page;
}

Page decode_inner(FlatReader& reader, const fb::Page& table) {
  reader.require(table.name_lengths() == nullptr || table.name_lengths()->size() == 0,
                 "has entries as well as pages below it");
  Page page;
  page.level = table.level();
  ByteCursor ids(reader, table.child_ids());
  Cursor<std::uint64_t> entries(reader, table.child_entries());
  Cursor<std::uint16_t> lengths(reader, table.child_name_lengths());
  ByteCursor names(reader, table.child_names());
  reader.require(entries.size() == lengths.size(), "has columns of different lengths");
  page.children.reserve(lengths.size());
  while (!lengths.done()) page.children.push_back({ids.id(), entries.take(), names.text(lengths.take())});
  reader.require(ids.done() && names.done(), "has columns that are longer than its pages need");
  if (const char* defect = detail::defect_of_inner(page)) detail::corrupt(defect, reader.subject());
  return page;
}

}  // namespace

Page decode_page(ByteView bytes, const std::string& subject) {
  detail::require(bytes.size() <= kLargestChunk, "is longer than a chunk", subject);
  FlatReader reader(bytes, subject);
  const auto& table = reader.root<fb::Page>();
  if (table.level() != 0) return decode_inner(reader, table);
  reader.require(table.child_ids() == nullptr || table.child_ids()->size() == 0,
                 "has entries as well as pages below it");
  return LeafDecoder(reader, table).decode();
}

}  // namespace mbu::format
