#include "tree/patch.hpp"

#include <algorithm>

#include "tree/builder.hpp"

namespace mbu::tree {
namespace {

using Patches = std::map<std::string, DirectoryPatch>;
using Next = Patches::const_iterator;

class Patching {
 public:
  Patching(TreeReader& reader, const std::string& path, const Patches& patches, const std::function<ChunkId(ByteView)>& put)
      : reader_(reader), path_(path), patches_(patches), put_(put), next_(patches.begin()) {}

  // The leaves below the page, in order, those that hold a name to patch anew. `behind`: the first name after them; empty: none.
  void visit(const format::PageChild& child, int level, const std::string& behind) {
    const bool concerned = next_ != patches_.end() && (behind.empty() || next_->first < behind);
    if (level == 0 && !concerned) {
      leaves_.push_back(child);
      return;
    }
    const auto page = reader_.page(child.id, path_);
    if (level >= 0 && page.level != level) fail("a page of it has the wrong level");
    if (page.level == 0) {
      leaves_.push_back(patched(page, behind));
      return;
    }
    for (std::size_t i = 0; i < page.children.size(); ++i) {
      visit(page.children[i], page.level - 1, i + 1 < page.children.size() ? page.children[i + 1].first_name : behind);
    }
  }

  std::vector<format::PageChild> finish() {
    if (next_ != patches_.end()) fail("has lost a subdirectory");
    return std::move(leaves_);
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw Error(Code::corrupt, what, path_); }

  format::PageChild patched(const format::Page& old, const std::string& behind) {
    format::Page page;
    page.inline_chunk = old.inline_chunk;
    page.inline_length = old.inline_length;
    page.entries.reserve(old.entries.size());
    for (const auto& entry : old.entries) page.entries.push_back(format::copy(entry));
    for (; next_ != patches_.end() && (behind.empty() || next_->first < behind); ++next_) {
      const auto found = std::ranges::lower_bound(page.entries, next_->first, {}, &format::Entry::name);
      if (found == page.entries.end() || found->name != next_->first || !found->is_directory()) fail("has lost a subdirectory");
      found->directory = next_->second.page;
      found->directory_files = next_->second.files;
      found->directory_dirs = next_->second.directories;
      found->directory_bytes = next_->second.bytes;
    }
    const auto first = page.entries.empty() ? std::string{} : page.entries.front().name;
    return {put_(format::encode_page(page)), page.entries.size(), first};
  }

  TreeReader& reader_;
  const std::string& path_;
  const Patches& patches_;
  const std::function<ChunkId(ByteView)>& put_;
  Next next_;
  std::vector<format::PageChild> leaves_;
};

}  // namespace

ChunkId patch_directories(TreeReader& reader, const ChunkId& directory, const std::string& path, const Patches& patches,
                          const keys::DomainKeys& domain, const std::function<ChunkId(ByteView)>& put) {
  Patching patching(reader, path, patches, put);
  patching.visit({directory, 0, {}}, -1, {});
  return join_pages(patching.finish(), domain, put);
}

}  // namespace mbu::tree
