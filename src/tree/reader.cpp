#include "tree/reader.hpp"

#include <algorithm>

#include "format/chunk_list.hpp"
#include "tree/leaf_stream.hpp"

namespace mbu::tree {
namespace {

using format::BlockRole;

constexpr std::size_t kLargestSparseMap = 256U << 20;

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? directory + name : directory + '/' + name;
}

Error damaged(const std::string& path, const std::string& what) { return Error(Code::corrupt, what, path); }

void visit_all(LeafStream leaves, const std::function<void(format::Page&&)>& visit) {
  while (auto page = leaves.next()) visit(std::move(*page));
  if (leaves.damage()) throw *leaves.damage();
}

}  // namespace

format::Page TreeReader::page(const ChunkId& id, const std::string& directory_path) {
  return format::decode_page(chunks_.read(id, BlockRole::page, directory_path), directory_path);
}

void TreeReader::for_each_leaf(const ChunkId& directory, const std::string& path,
                               const std::function<void(format::Page&&)>& visit) {
  visit_all(LeafStream(*this, directory, path, LeafStream::OnDamage::keep), visit);
}

void TreeReader::for_each_leaf_between(const ChunkId& directory, const std::string& path, const std::string& first,
                                       const std::string& last, const std::function<void(format::Page&&)>& visit) {
  LeafStream leaves(*this, directory, path, LeafStream::OnDamage::keep);
  leaves.limit_to(first, last);
  visit_all(std::move(leaves), visit);
}

std::optional<TreeReader::Found> TreeReader::find_in(const ChunkId& directory, const std::string& path,
                                                     const std::string& name) {
  ChunkId id = directory;
  for (int level = -1;;) {
    auto current = page(id, path);
    if (level >= 0 && current.level != level) throw damaged(path, "a page of it has the wrong level");
    if (current.level == 0) {
      const auto found = std::ranges::lower_bound(current.entries, name, {}, &format::Entry::name);
      if (found == current.entries.end() || found->name != name) return std::nullopt;
      return Found{std::move(*found), current.inline_chunk, current.inline_length};
    }
    auto after = std::ranges::upper_bound(current.children, name, {}, &format::PageChild::first_name);
    if (after == current.children.begin()) return std::nullopt;
    id = std::prev(after)->id;
    level = current.level - 1;
  }
}

std::optional<TreeReader::Found> TreeReader::find_path(const ChunkId& root, const std::string& path) {
  std::optional<Found> found;
  ChunkId directory = root;
  std::string walked = "/";
  std::size_t start = 0;
  while (start < path.size()) {
    const auto end = std::min(path.find('/', start), path.size());
    const std::string name = path.substr(start, end - start);
    start = end + 1;
    if (name.empty()) continue;
    if (found) {
      if (!found->entry.is_directory() || found->entry.directory.is_zero()) return std::nullopt;
      directory = found->entry.directory;
    }
    found = find_in(directory, walked, name);
    if (!found) return std::nullopt;
    walked = join(walked, name);
  }
  return found;
}

void TreeReader::for_each_chunk(const format::Content& content, const std::string& path,
                                const std::function<void(const format::ChunkRef&)>& visit) {
  switch (content.kind) {
    case format::Content::Kind::empty:
    case format::Content::Kind::inlined: return;
    case format::Content::Kind::direct:
      for (const auto& chunk : content.chunks) visit(chunk);
      return;
    case format::Content::Kind::tree: visit_list(content.tree, content.tree_level, 0, path, visit); return;
  }
}

// `bytes`: what must be below; 0 for the root, whose sum the caller compares with the file's data length.
void TreeReader::visit_list(const ChunkId& id, int level, std::uint64_t bytes, const std::string& path,
                            const std::function<void(const format::ChunkRef&)>& visit) {
  const auto list = format::decode_chunk_list(chunks_.read(id, BlockRole::list, path), path);
  if (list.level != level) throw damaged(path, "a list of its chunks has the wrong level");
  if (bytes != 0 && format::total_bytes(list) != bytes) {
    throw damaged(path, "a list of its chunks has the wrong length");
  }
  for (const auto& item : list.items) {
    if (level == 0) {
      visit({item.id, static_cast<std::uint32_t>(item.bytes)});
    } else {
      visit_list(item.id, level - 1, item.bytes, path, visit);
    }
  }
}

ByteBuffer TreeReader::read_all(const format::Content& content, const std::string& path, std::size_t limit) {
  // The references first: the reader's buffers serve lists and data alike.
  std::vector<format::ChunkRef> refs;
  std::size_t total = 0;
  for_each_chunk(content, path, [&](const format::ChunkRef& chunk) {
    total += chunk.length;
    if (total > limit) throw damaged(path, "is larger than it may be");
    refs.push_back(chunk);
  });
  ByteBuffer bytes;
  bytes.reserve(total);
  for (const auto& chunk : refs) {
    const auto piece = chunks_.read(chunk.id, BlockRole::data, path);
    if (piece.size() != chunk.length) throw damaged(path, "a chunk of it has the wrong length");
    append(bytes, piece);
  }
  return bytes;
}

std::vector<format::DataRun> TreeReader::data_runs(const format::Entry& entry, const std::string& path) {
  if (!entry.sparse) return entry.size == 0 ? std::vector<format::DataRun>{} : std::vector<format::DataRun>{{0, entry.size}};
  if (!entry.sparse->encoded.empty()) return format::decode_sparse_map(entry.sparse->encoded, entry.size);
  return format::decode_sparse_map(read_all(entry.sparse->stored, path, kLargestSparseMap), entry.size);
}

}  // namespace mbu::tree
