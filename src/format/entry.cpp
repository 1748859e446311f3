#include "format/entry.hpp"

#include <algorithm>
#include <tuple>

#include "base/bytes.hpp"
#include "format/page_rules.hpp"

namespace mbu::format {
namespace {

constexpr std::uint8_t kHighestTreeLevel = 7;
constexpr std::size_t kMostDirectChunks = 0xffff;

void append_leb128(ByteBuffer& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 0x80));
  to.push_back(static_cast<std::uint8_t>(value));
}

// What is wrong with where a stream of bytes is, or null. Nothing of `length`: not known, at most `most`.
const char* defect_of(const Content& content, std::optional<std::uint64_t> length, std::uint64_t most) noexcept {
  switch (content.kind) {
    case Content::Kind::empty: return length.value_or(0) == 0 ? nullptr : "has no content, but a size";
    case Content::Kind::inlined:
      if (!length) return "is inlined, though its length is not known";
      return *length != 0 ? nullptr : "has content, but no size";
    case Content::Kind::direct: {
      if (content.chunks.empty()) return "has content without chunks";
      std::uint64_t sum = 0;
      for (const auto& chunk : content.chunks) {
        if (chunk.length == 0 || chunk.length > kLargestChunk) return "has a chunk of an impossible length";
        if (chunk.id.is_zero()) return "names a chunk that cannot exist";
        sum += chunk.length;  // a page holds too few chunks for an overflow
      }
      return (length ? sum == *length : sum <= most) ? nullptr : "has chunks that do not add up to its size";
    }
    case Content::Kind::tree:
      if (content.tree.is_zero()) return "names a chunk list that cannot exist";
      if (content.tree_level > kHighestTreeLevel) return "has a chunk list of an impossible level";
      return length != 0 ? nullptr : "has content, but no size";
  }
  return "has content of a kind that is not known";
}

const char* defect_of_regular(const Entry& entry) noexcept {
  if (entry.size > kLargestFile) return "is larger than any file";
  if (entry.sparse) {
    const auto& map = *entry.sparse;
    if (entry.content.kind == Content::Kind::inlined) return "has holes, but is inlined";
    if (map.encoded.size() > kLongestInlineMap) return "has a sparse map that is too long for its page";
    if (!map.encoded.empty() && map.stored.kind != Content::Kind::empty) return "has two sparse maps";
    if (map.stored.kind == Content::Kind::inlined) return "has a sparse map that is inlined twice";
    if (const char* defect = detail::walk_sparse_map(map.encoded, entry.size, [](const DataRun&) {})) return defect;
    if (const char* defect = defect_of(map.stored, std::nullopt, kLargestFile)) return defect;
  }
  if (entry.content.kind == Content::Kind::direct && entry.content.chunks.size() > kMostDirectChunks) {
    return "has more chunks than a page can count";
  }
  return defect_of(entry.content, detail::data_length(entry), entry.size);
}

const char* defect_of_attributes(const std::vector<Attribute>& attributes) noexcept {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const auto& name = attributes[i].name;
    if (name.empty() || name.find('\0') != std::string::npos) return "has an attribute with an impossible name";
    if (i != 0 && attributes[i - 1].name >= name) return "has attributes that are not sorted";
  }
  return nullptr;
}

}  // namespace

namespace detail {

std::optional<std::uint64_t> take_leb128(ByteView& bytes) noexcept {
  constexpr unsigned kBits = 64;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kBits && !bytes.empty(); shift += 7) {
    const std::uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    const std::uint64_t piece = byte & 0x7fu;
    if ((piece << shift) >> shift != piece) return std::nullopt;
    value |= piece << shift;
    if ((byte & 0x80u) != 0) continue;
    if (byte == 0 && shift != 0) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> data_length(const Entry& entry) noexcept {
  if (!entry.sparse) return entry.size;
  if (entry.sparse->stored.kind != Content::Kind::empty) return std::nullopt;
  std::uint64_t sum = 0;
  walk_sparse_map(entry.sparse->encoded, entry.size, [&](const DataRun& run) { sum += run.length; });
  return sum;
}

const char* defect_of(const Entry& entry) noexcept {
  if (!is_valid_name(entry.name)) return "has an impossible name";
  switch (entry.type) {
    case EntryType::regular:
      if (const char* defect = defect_of_regular(entry)) return defect;
      break;
    case EntryType::symlink:
      if (entry.size != entry.target.size()) return "has a target that is not as long as its size says";
      if (entry.target.find('\0') != std::string::npos) return "has a target with a zero byte";
      break;
    case EntryType::directory:
      if (entry.link_group != 0) return "is a directory with several names";
      [[fallthrough]];
    case EntryType::fifo:
    case EntryType::socket:
    case EntryType::character_device:
    case EntryType::block_device:
      if (entry.size != 0) return "has a size, but is no file";
      break;
    default: return "is of a type that is not known";
  }
  if (entry.type != EntryType::regular && (entry.sparse || entry.content.kind != Content::Kind::empty)) {
    return "has content, but is no file";
  }
  return defect_of_attributes(entry.attributes);
}

}  // namespace detail

Entry copy(const Entry& entry) {
  Entry other;
  other.name = entry.name;
  other.type = entry.type;
  other.mode = entry.mode;
  other.uid = entry.uid;
  other.gid = entry.gid;
  other.user = entry.user;
  other.group = entry.group;
  other.mtime = entry.mtime;
  other.btime = entry.btime;
  other.size = entry.size;
  other.target = entry.target;
  other.rdev = entry.rdev;
  other.link_group = entry.link_group;
  other.flags = entry.flags;
  other.attributes = entry.attributes;
  other.content = entry.content;
  if (entry.sparse) other.sparse = std::make_unique<SparseMap>(*entry.sparse);
  other.directory = entry.directory;
  other.directory_files = entry.directory_files;
  other.directory_dirs = entry.directory_dirs;
  other.directory_bytes = entry.directory_bytes;
  return other;
}

bool same_file(const Entry& a, const Entry& b) {
  const auto metadata = [](const Entry& e) {
    return std::tie(e.type, e.mode, e.uid, e.gid, e.user, e.group, e.mtime, e.btime, e.size, e.target, e.rdev, e.link_group,
                    e.flags);
  };
  const auto where = [](const Content& c) { return std::tie(c.kind, c.chunks, c.tree, c.tree_level); };
  const bool same_map = (a.sparse == nullptr) == (b.sparse == nullptr) && (!a.sparse || *a.sparse == *b.sparse);
  return metadata(a) == metadata(b) && a.attributes == b.attributes && where(a.content) == where(b.content) && same_map;
}

bool is_valid_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kLongestName || name == "." || name == "..") return false;
  return name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

ByteBuffer encode_sparse_map(const std::vector<DataRun>& runs) {
  ByteBuffer encoded;
  std::uint64_t at = 0;
  for (const auto& run : runs) {
    const bool first = &run == &runs.front();
    if (run.length == 0 || run.offset < at || (run.offset == at && !first) || run.length > kLargestFile ||
        run.offset > kLargestFile - run.length) {
      throw Error(Code::failed, "a sparse file's runs of data do not follow each other");
    }
    append_leb128(encoded, run.offset - at);
    append_leb128(encoded, run.length);
    at = run.offset + run.length;
  }
  return encoded;
}

std::vector<DataRun> decode_sparse_map(ByteView encoded, std::uint64_t size) {
  std::vector<DataRun> runs;
  const char* defect = detail::walk_sparse_map(encoded, size, [&](const DataRun& run) { runs.push_back(run); });
  if (defect != nullptr) throw Error(Code::corrupt, defect, "a file");
  return runs;
}

}  // namespace mbu::format
