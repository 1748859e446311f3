#include "tree/patch.hpp"

#include "../repo/support.hpp"
#include "tree/builder.hpp"

namespace mbu::tree {
namespace {

using format::BlockRole;

// A directory of subdirectories and FIFOs, as the packager would build it.
class PatchTest : public repo::test::RepositoryTest {
 protected:
  using Directories = std::map<std::string, DirectoryPatch>;

  static std::string name_of(int number) {
    auto text = std::to_string(number);
    return "n" + std::string(5 - text.size(), '0') + text;
  }
  Directories make_directories(int count) {
    Directories all;
    for (int i = 0; i < count; i += 3) all[name_of(i)] = {random_.id<ChunkId>(), random_.below(1000), random_.below(1000), random_.below(1000)};
    return all;
  }

  // Stored together at the end: store() writes the pack.
  ChunkId put(ByteView bytes) {
    pages_.emplace_back(bytes.begin(), bytes.end());
    ++put_;
    return repo::chunk_id(domain(), BlockRole::page, bytes);
  }
  void store_pages() { write_pack(std::exchange(pages_, {}), BlockRole::page); }

  ChunkId build(int count, const Directories& directories) {
    LeafCutter cutter(domain());
    std::vector<format::PageChild> leaves;
    format::Page page;
    for (int i = 0; i < count; ++i) {
      auto& entry = page.entries.emplace_back();
      entry.name = name_of(i);
      entry.type = EntryType::fifo;
      if (const auto found = directories.find(entry.name); found != directories.end()) {
        entry.type = EntryType::directory;
        entry.directory = found->second.page;
        entry.directory_files = found->second.files;
        entry.directory_dirs = found->second.directories;
        entry.directory_bytes = found->second.bytes;
      }
      if (!cutter.ends_after(entry.name, 0) && i + 1 < count) continue;
      const auto id = put(format::encode_page(page));
      leaves.push_back({id, page.entries.size(), page.entries.front().name});
      page = {};
    }
    return join_pages(std::move(leaves), domain(), [this](ByteView bytes) { return put(bytes); });
  }

  ChunkId patch(const ChunkId& root, const Directories& patches) {
    const auto index = load_index();
    TreeReader reader(*vault_, index);
    put_ = 0;
    return patch_directories(reader, root, "/dir", patches, domain(), [this](ByteView bytes) { return put(bytes); });
  }

  std::vector<ByteBuffer> pages_;
  std::size_t put_ = 0;
};

TEST_F(PatchTest, GivesThePagesThatANewListingWould) {
  for (const int count : {1, 4, 200, 20'000}) {
    auto directories = make_directories(count);
    const auto root = build(count, directories);
    store_pages();
    Directories patches;
    for (const int i : {0, count / 2 / 3 * 3, (count - 1) / 3 * 3}) {
      patches[name_of(i)] = directories[name_of(i)] = {random_.id<ChunkId>(), 7, 8, 9};
    }
    const auto patched = patch(root, patches);
    EXPECT_LE(put_, 3u + 160u) << count;  // the leaves, and the inner pages
    EXPECT_EQ(patched, build(count, directories)) << count;
    pages_.clear();
  }
}

TEST_F(PatchTest, RefusesNamesThatAreNoDirectories) {
  const auto root = build(100, make_directories(100));
  store_pages();
  for (const auto* name : {"a", "n00001", "n00050x", "z"}) {
    test::expect_error(Code::corrupt, "has lost a subdirectory", [&] { (void)patch(root, {{name, {}}}); });
  }
}

}  // namespace
}  // namespace mbu::tree
