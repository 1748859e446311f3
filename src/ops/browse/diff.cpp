// Two trees side by side: both are sorted, so one pass merges them, a page of each in memory for every directory on the way down.
// Equal ids are equal subtrees, which makes the cost follow the difference and not the size. Damage ends it: what cannot be read
// would look like what is not there.
#include "ops/browse/browse.hpp"
#include "tree/leaf_stream.hpp"
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

using Located = std::pair<Entry, ChunkId>;  // with its page's inline chunk

// A directory's entries one after the other.
class Entries {
 public:
  Entries(tree::TreeReader& reader, const ChunkId& directory, const std::string& path)
      : leaves_(reader, directory, path, tree::LeafStream::OnDamage::fail) {
    fill();
  }
  [[nodiscard]] bool done() const noexcept { return at_ == page_.entries.size(); }
  [[nodiscard]] const std::string& name() const noexcept { return page_.entries[at_].name; }
  [[nodiscard]] Located take() {
    Located taken{std::move(page_.entries[at_++]), page_.inline_chunk};
    fill();
    return taken;
  }

 private:
  void fill() {
    while (done()) {
      auto next = leaves_.next();
      if (!next) return;
      page_ = std::move(*next);
      at_ = 0;
    }
  }

  tree::LeafStream leaves_;
  format::Page page_;
  std::size_t at_ = 0;
};

class Diff {
 public:
  Diff(const repo::Context& context, const repo::ChunkIndex& from, const repo::ChunkIndex& to, const std::function<void(const DiffLine&)>& visit)
      : context_(context), from_(context.vault, from), to_(context.vault, to), ids_tell_(&from == &to), visit_(visit) {}

  void directories(const ChunkId& from, const ChunkId& to, const std::string& path) {
    if (from == to) return;
    context_.interrupt.check();
    Entries a(from_, from, path);
    Entries b(to_, to, path);
    while (!a.done() || !b.done()) {
      if (b.done() || (!a.done() && a.name() < b.name())) {
        one_side(a.take(), path, DiffLine::Kind::removed);
      } else if (a.done() || b.name() < a.name()) {
        one_side(b.take(), path, DiffLine::Kind::added);
      } else {
        both(a.take(), b.take(), path);
      }
    }
  }

  DiffSummary summary;

 private:
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
    for (Entries below(added ? to_ : from_, entry.directory, entry_path); !below.done();) one_side(below.take(), entry_path, kind);
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
    if (!ids_tell_) return a.size == b.size && a.mtime == b.mtime;
    if (a.size != b.size || a.content.kind != b.content.kind) return false;
    if (a.content.kind != format::Content::Kind::inlined) {
      const bool sparse = (a.sparse == nullptr) == (b.sparse == nullptr) && (!a.sparse || *a.sparse == *b.sparse);
      return sparse && a.content == b.content;
    }
    if (from.second == to.second && a.content.inline_offset == b.content.inline_offset) return true;
    return inline_bytes(from_, from) == inline_bytes(to_, to);
  }

  static ByteBuffer inline_bytes(tree::TreeReader& reader, const Located& located) {
    const auto& [entry, inline_chunk] = located;
    const auto chunk = reader.chunks().read(inline_chunk, format::BlockRole::inlined, entry.name);
    const std::size_t offset = entry.content.inline_offset;
    if (offset > chunk.size() || entry.size > chunk.size() - offset) {
      throw Error(Code::corrupt, "reaches beyond the chunk that it shares with its neighbours", entry.name);
    }
    const auto piece = chunk.subspan(offset, entry.size);
    return {piece.begin(), piece.end()};
  }

  const repo::Context& context_;
  tree::TreeReader from_, to_;
  bool ids_tell_;  // both are of one domain
  const std::function<void(const DiffLine&)>& visit_;
};

}  // namespace

DiffSummary diff(const repo::Context& context, const IndexedTree& from, const IndexedTree& to, const std::function<void(const DiffLine&)>& visit) {
  Diff diff(context, from.index, to.index, visit);
  diff.directories(from.root, to.root, "/");
  return diff.summary;
}

}  // namespace mbu::ops
