// Two trees side by side: both are sorted, so one pass merges them. Equal ids are equal subtrees, which makes the cost follow
// the difference and not the size.
#include "ops/browse/browse.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {
namespace {

using format::Entry;

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? directory + name : directory + '/' + name;
}

bool same_metadata(const Entry& a, const Entry& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.mtime == b.mtime && a.flags == b.flags &&
         a.rdev == b.rdev && a.attributes == b.attributes;
}

class Diff {
 public:
  Diff(const repo::Context& context, const repo::ChunkIndex& index, const std::function<void(const DiffLine&)>& visit)
      : context_(context), reader_(context.vault, index), visit_(visit) {}

  void directories(const ChunkId& from, const ChunkId& to, const std::string& path) {
    if (from == to) return;
    context_.interrupt.check();
    auto old_entries = entries(from, path);
    auto new_entries = entries(to, path);
    auto a = old_entries.begin();
    auto b = new_entries.begin();
    while (a != old_entries.end() || b != new_entries.end()) {
      if (b == new_entries.end() || (a != old_entries.end() && a->first.name < b->first.name)) {
        one_side(*a++, path, DiffLine::Kind::removed);
      } else if (a == old_entries.end() || b->first.name < a->first.name) {
        one_side(*b++, path, DiffLine::Kind::added);
      } else {
        both(*a++, *b++, path);
      }
    }
  }

  DiffSummary summary;

 private:
  using Located = std::pair<Entry, ChunkId>;  // with its page's inline chunk

  std::vector<Located> entries(const ChunkId& id, const std::string& path) {
    std::vector<Located> all;
    if (id.is_zero()) return all;
    reader_.for_each_leaf(id, path, [&](format::Page&& page) {
      for (auto& entry : page.entries) all.emplace_back(std::move(entry), page.inline_chunk);
    });
    return all;
  }

  void one_side(const Located& located, const std::string& path, DiffLine::Kind kind) {
    const auto& entry = located.first;
    const std::string entry_path = join(path, entry.name);
    visit_({kind, entry_path, entry.type});
    const bool added = kind == DiffLine::Kind::added;
    if (!entry.is_directory()) {
      ++(added ? summary.files_added : summary.files_removed);
      if (entry.is_regular()) (added ? summary.bytes_added : summary.bytes_removed) += entry.size;
      return;
    }
    ++(added ? summary.dirs_added : summary.dirs_removed);
    for (const auto& below : entries(entry.directory, entry_path)) one_side(below, entry_path, kind);
  }

  void both(const Located& from, const Located& to, const std::string& path) {
    const auto& a = from.first;
    const auto& b = to.first;
    const std::string entry_path = join(path, a.name);
    if (a.type != b.type) {
      visit_({DiffLine::Kind::type, entry_path, b.type});
      return;
    }
    if (a.is_regular() && !same_content(from, to)) {
      visit_({DiffLine::Kind::content, entry_path, b.type});
      ++summary.files_changed;
      summary.bytes_added += b.size;
      summary.bytes_removed += a.size;
    } else if (a.target != b.target) {
      visit_({DiffLine::Kind::content, entry_path, b.type});
      ++summary.files_changed;
    } else if (!same_metadata(a, b)) {
      visit_({DiffLine::Kind::metadata, entry_path, b.type});
    }
    if (a.is_directory()) directories(a.directory, b.directory, entry_path);
  }

  bool same_content(const Located& from, const Located& to) {
    const auto& a = from.first;
    const auto& b = to.first;
    if (a.size != b.size || a.content.kind != b.content.kind) return false;
    if (a.content.kind != format::Content::Kind::inlined) {
      const bool sparse = (a.sparse == nullptr) == (b.sparse == nullptr) && (!a.sparse || *a.sparse == *b.sparse);
      return sparse && a.content == b.content;
    }
    if (from.second == to.second && a.content.inline_offset == b.content.inline_offset) return true;
    return inline_bytes(from) == inline_bytes(to);
  }

  ByteBuffer inline_bytes(const Located& located) {
    const auto chunk = reader_.chunks().read(located.second, format::BlockRole::inlined, located.first.name);
    const auto piece = chunk.subspan(located.first.content.inline_offset, located.first.size);
    return {piece.begin(), piece.end()};
  }

  const repo::Context& context_;
  tree::TreeReader reader_;
  const std::function<void(const DiffLine&)>& visit_;
};

}  // namespace

DiffSummary diff(const repo::Context& context, const repo::ChunkIndex& index, const ChunkId& from, const ChunkId& to,
                 const std::function<void(const DiffLine&)>& visit) {
  Diff diff(context, index, visit);
  diff.directories(from, to, "/");
  return diff.summary;
}

}  // namespace mbu::ops
