// One entry of a directory: everything mbu keeps of a file but its bytes. What source/ reads from a file system,
// what pages carry, what restore makes again. Plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "mbu/types/results.hpp"

namespace mbu::format {

// The longest name of an entry, in bytes.
inline constexpr std::size_t kLongestName = 4095;
// The longest chunk, in bytes; pages and chunk lists are chunks.
inline constexpr std::uint32_t kLargestChunk = 4 * 1024 * 1024;
// The longest sparse map that may be in its page, in bytes.
inline constexpr std::size_t kLongestInlineMap = 512;
// The largest size of a file: what off_t can hold.
inline constexpr std::uint64_t kLargestFile = 0x7fff'ffff'ffff'ffff;

// An extended attribute; POSIX ACLs are among them under Linux's names for them.
struct Attribute {
  std::string name;
  ByteBuffer value;
  bool operator==(const Attribute&) const = default;
};

struct ChunkRef {
  ChunkId id;
  std::uint32_t length = 0;  // bytes
  bool operator==(const ChunkRef&) const = default;
};

// Where a file's data bytes are.
struct Content {
  enum class Kind : std::uint8_t { empty = 0, inlined = 1, direct = 2, tree = 3 };
  Kind kind = Kind::empty;
  std::uint32_t inline_offset = 0;  // inlined: where in the page's inline chunk
  std::vector<ChunkRef> chunks;     // direct
  ChunkId tree;                     // tree: the root list
  std::uint8_t tree_level = 0;
  bool operator==(const Content&) const = default;
};

// A run of data in a sparse file; what lies between runs is hole.
struct DataRun {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const DataRun&) const = default;
};

// Which data runs a sparse file has. Short maps are in the page as `encoded` (FORMAT.md §7.2); long ones are stored
// like a file's content. A file that is one hole has the empty map: nothing encoded, `stored` of kind empty.
struct SparseMap {
  ByteBuffer encoded;  // when not empty, the map: at most kLongestInlineMap bytes
  Content stored;      // else where its bytes are (never inlined; nor is the content of a file with a map)
  bool operator==(const SparseMap&) const = default;
};

struct Entry {
  std::string name;  // raw bytes
  EntryType type = EntryType::regular;
  std::uint16_t mode = 0;  // the twelve permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;   // empty: the machine had no name for it
  std::string group;
  FileTime mtime;
  std::optional<FileTime> btime;
  std::uint64_t size = 0;        // regular: apparent size; symlink: the target's length; else 0
  std::string target;            // symlink
  std::uint64_t rdev = 0;        // device: major in the upper 32 bits, minor in the lower
  std::uint64_t link_group = 0;  // equal: the same file under another name; 0: only one name
  std::uint32_t flags = 0;       // statx attribute bits that are kept: 0x10, 0x20, 0x40
  std::vector<Attribute> attributes;  // sorted by name

  Content content;                  // regular
  std::unique_ptr<SparseMap> sparse;  // regular with holes

  ChunkId directory;                // directory: its root page; zero: could not be read
  std::uint64_t directory_files = 0;  // in that subtree, everything but directories
  std::uint64_t directory_dirs = 0;   // in that subtree, itself not counted
  std::uint64_t directory_bytes = 0;  // sizes of the regular files in it

  [[nodiscard]] bool is_directory() const noexcept { return type == EntryType::directory; }
  [[nodiscard]] bool is_regular() const noexcept { return type == EntryType::regular; }
};

[[nodiscard]] Entry copy(const Entry& entry);
// Whether both say the same of a file but for its name: metadata, and where its content is.
[[nodiscard]] bool same_file(const Entry& a, const Entry& b);

// Whether a name may be an entry's: 1 to kLongestName bytes, not "." or "..", neither '/' nor a zero byte in it.
[[nodiscard]] bool is_valid_name(std::string_view name) noexcept;

// The map's bytes (FORMAT.md §7.2). Runs must be ascending, not empty, and must not touch.
[[nodiscard]] ByteBuffer encode_sparse_map(const std::vector<DataRun>& runs);
// Throws Code::corrupt when the map is not well formed or reaches beyond `size`.
[[nodiscard]] std::vector<DataRun> decode_sparse_map(ByteView encoded, std::uint64_t size);

}  // namespace mbu::format
