#include "tree/reader.hpp"

#include "../repo/support.hpp"
#include "format/chunk_list.hpp"

namespace mbu::tree {
namespace {

using format::BlockRole;

class TreeReaderTest : public repo::test::RepositoryTest {
 protected:
  // Stores the bytes as a chunk of that role; its id.
  ChunkId put(ByteView bytes, BlockRole role = BlockRole::page) {
    write_pack({ByteBuffer(bytes.begin(), bytes.end())}, role);
    return repo::chunk_id(domain(), role, bytes);
  }
  ChunkId put(const format::Page& page) { return put(format::encode_page(page)); }

  // A leaf with FIFOs of these names.
  ChunkId leaf(const std::vector<std::string>& names) {
    format::Page page;
    for (const auto& name : names) {
      auto& entry = page.entries.emplace_back();
      entry.name = name;
      entry.type = EntryType::fifo;
    }
    return put(page);
  }
  ChunkId inner(std::uint8_t level, std::vector<format::PageChild> children) {
    format::Page page;
    page.level = level;
    page.children = std::move(children);
    return put(page);
  }
  std::vector<std::string> names_between(const ChunkId& root, const std::string* first, const std::string* last) {
    const auto index = load_index();
    TreeReader reader(*vault_, index);
    std::vector<std::string> names;
    const auto visit = [&](format::Page&& page) {
      for (const auto& entry : page.entries) names.push_back(entry.name);
    };
    if (first == nullptr) {
      reader.for_each_leaf(root, "/dir", visit);
    } else {
      reader.for_each_leaf_between(root, "/dir", *first, *last, visit);
    }
    return names;
  }
  std::vector<std::string> all_names(const ChunkId& root) { return names_between(root, nullptr, nullptr); }
  void expect_damaged(const ChunkId& root, std::string_view what) {
    test::expect_error(Code::corrupt, what, [&] { (void)all_names(root); });
  }
};

TEST_F(TreeReaderTest, VisitsLeavesInOrder) {
  const auto root = inner(1, {{leaf({"a", "b"}), 2, "a"}, {leaf({"c", "d"}), 2, "c"}, {leaf({"e"}), 1, "e"}});
  EXPECT_EQ(all_names(root), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_TRUE(all_names(leaf({})).empty());
}

TEST_F(TreeReaderTest, VisitsExactlyTheLeavesThatMayHoldTheNames) {
  const auto root = inner(1, {{leaf({"b", "c"}), 2, "b"}, {leaf({"e", "f"}), 2, "e"}, {leaf({"h"}), 1, "h"}});
  const auto between = [&](const std::string& first, const std::string& last) {
    std::string joined;
    for (const auto& name : names_between(root, &first, &last)) joined += name;
    return joined;
  };
  EXPECT_EQ(between("a", "z"), "bcefh");
  EXPECT_EQ(between("e", "f"), "ef");
  EXPECT_EQ(between("d", "e"), "bcef");  // a "d" would lie in the first
  EXPECT_EQ(between("f", "g"), "ef");
  EXPECT_EQ(between("h", "h"), "h");
  EXPECT_EQ(between("a", "a"), "");
  EXPECT_EQ(between("z", "zz"), "h");
}

TEST_F(TreeReaderTest, FindsPaths) {
  format::Page top;
  auto& directory = top.entries.emplace_back();
  directory.name = "dir";
  directory.type = EntryType::directory;
  directory.directory = inner(1, {{leaf({"a", "b"}), 2, "a"}, {leaf({"c"}), 1, "c"}});
  auto& unreadable = top.entries.emplace_back();
  unreadable.name = "unreadable";
  unreadable.type = EntryType::directory;
  const auto root = put(top);
  const auto index = load_index();
  TreeReader reader(*vault_, index);
  for (const auto* path : {"/dir", "/dir/", "//dir//b", "/dir/c", "/unreadable"}) EXPECT_TRUE(reader.find_path(root, path)) << path;
  for (const auto* path : {"/", "", "/di", "/dir/0", "/dir/bb", "/dir/d", "/dir/a/x", "/unreadable/x", "/dir/.."}) {
    EXPECT_FALSE(reader.find_path(root, path)) << path;
  }
}

TEST_F(TreeReaderTest, RejectsNamesThatRepeatOrDescendAcrossPages) {
  const auto ab = leaf({"a", "b"});
  expect_damaged(inner(1, {{ab, 2, "a"}, {leaf({"b", "c"}), 2, "aa"}}), "out of order");
  expect_damaged(inner(1, {{ab, 2, "a"}, {ab, 2, "b"}}), "out of order");
  expect_damaged(inner(1, {{leaf({"x"}), 1, "a"}, {ab, 2, "b"}}), "out of order");
}

TEST_F(TreeReaderTest, RejectsPagesOfTheWrongLevel) {
  const auto one = inner(1, {{leaf({"a"}), 1, "a"}});
  expect_damaged(inner(1, {{one, 1, "a"}}), "wrong level");
  expect_damaged(inner(3, {{one, 1, "a"}}), "wrong level");
  expect_damaged(inner(2, {{leaf({"a"}), 1, "a"}}), "wrong level");
  const auto index = load_index();
  test::expect_error(Code::corrupt, "wrong level", [&] {
    (void)TreeReader(*vault_, index).find_path(inner(2, {{leaf({"a"}), 1, "a"}}), "/a");
  });
}

TEST_F(TreeReaderTest, RejectsAnEmptyPageBelowAnother) {
  expect_damaged(inner(1, {{leaf({"a"}), 1, "a"}, {leaf({}), 1, "b"}}), "empty");
}

TEST_F(TreeReaderTest, GoesOnBehindADamagedPage) {
  const auto missing = random_.id<ChunkId>();
  const auto first = inner(1, {{leaf({"a"}), 1, "a"}, {missing, 1, "b"}, {leaf({"c"}), 1, "c"}});
  const auto root = inner(2, {{first, 3, "a"}, {missing, 1, "d"}, {inner(1, {{leaf({"e"}), 1, "e"}}), 1, "e"}});
  const auto index = load_index();
  TreeReader reader(*vault_, index);
  std::string names;
  test::expect_error(Code::corrupt, kChunkNotHere, [&] {
    reader.for_each_leaf(root, "/dir", [&](format::Page&& page) { names += page.entries.front().name; });
  });
  EXPECT_EQ(names, "ace");
}

TEST_F(TreeReaderTest, IsNotLostInPagesThatHoldEachOtherManyTimes) {
  auto id = inner(1, {{random_.id<ChunkId>(), 1, "a"}, {random_.id<ChunkId>(), 1, "b"}});
  for (std::uint8_t level = 2; level <= format::kHighestPageLevel; ++level) {
    std::vector<format::PageChild> children;
    for (char name = 'a'; name <= 'z'; ++name) children.push_back({id, 1, std::string(1, name)});
    id = inner(level, std::move(children));
  }
  expect_damaged(id, kChunkNotHere);
}

TEST_F(TreeReaderTest, ReadsTreesOfTheGreatestDepth) {
  auto id = leaf({"a"});
  for (std::uint8_t level = 1; level <= format::kHighestPageLevel; ++level) id = inner(level, {{id, 1, "a"}});
  EXPECT_EQ(all_names(id), std::vector<std::string>{"a"});
}

TEST_F(TreeReaderTest, NamesTheDirectoryWhosePageIsMissing) {
  const auto error = test::error_of([&] { (void)all_names(random_.id<ChunkId>()); });
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_EQ(error.subject(), "/dir");
}

TEST_F(TreeReaderTest, TakesNoChunkOfAnotherRole) {
  format::Page page;
  const auto bytes = format::encode_page(page);
  const auto id = put(bytes, BlockRole::data);
  expect_damaged(id, "does not hash to its id");
}

class DamagedChunks : public TreeReaderTest {
 protected:
  // Reads the chunk by what the store says now.
  std::string read(ByteView bytes) {
    const auto index = load_index();
    ChunkReader reader(*vault_, index);
    const auto id = repo::chunk_id(domain(), BlockRole::data, bytes);
    const auto once = std::string(as_text(reader.read(id, BlockRole::data, "/file")));
    EXPECT_EQ(as_text(reader.read(id, BlockRole::data, "/file")), once);
    return once;
  }
  const ByteBuffer text_{'h', 'e', 'l', 'l', 'o'};
};

TEST_F(DamagedChunks, AreReadByThePacksOwnTocWhenTheIndexIsWrong) {
  using Change = void (*)(format::IndexedPack&);
  const Change changes[] = {[](auto& pack) { pack.toc.blocks[0].tag[0] ^= 1; },
                            [](auto& pack) { pack.toc.blocks[0].role = BlockRole::page; },
                            [](auto& pack) { pack.toc.chunks[0].id.bytes[0] ^= 1; },
                            [](auto& pack) { std::swap(pack.toc.chunks[0].id, pack.toc.chunks[1].id); },
                            [](auto& pack) { pack.header[70] ^= 1; }};
  for (const auto change : changes) {
    auto pack = write_pack({text_, ByteBuffer{'t', 'h', 'e', 'r', 'e'}});
    change(pack);
    const auto name = repo::write_index(*vault_, {pack});
    EXPECT_EQ(read(text_), "hello");
    store().remove(store::Folder::indexes, name);
    store().remove(store::Folder::packs, pack.name);
  }
}

TEST_F(DamagedChunks, AreReadFromAnotherPack) {
  for (int i = 0; i < 2; ++i) {
    const auto pack = write_pack({text_});
    auto bytes = store().read(store::Folder::packs, pack.name);
    bytes[pack.header.size()] ^= 1;
    test::write_whole(file_of(store::Folder::packs, pack.name), bytes);
  }
  test::expect_error(Code::corrupt, "block 0 does not open", [&] { (void)read(text_); });
  write_pack({text_});
  EXPECT_EQ(read(text_), "hello");
}

class ListTest : public TreeReaderTest {
 protected:
  format::Content list(std::uint8_t level, const std::vector<format::ListItem>& items) {
    format::Content content;
    content.kind = format::Content::Kind::tree;
    content.tree = put(format::encode_chunk_list({level, items}), BlockRole::list);
    content.tree_level = level;
    return content;
  }
  ByteBuffer read(const format::Content& content, std::size_t limit = 1000) {
    const auto index = load_index();
    return TreeReader(*vault_, index).read_all(content, "/file", limit);
  }
  ChunkId hello_ = put(as_bytes("hello"), BlockRole::data);
  ChunkId world_ = put(as_bytes("world!"), BlockRole::data);
};

TEST_F(ListTest, ReadsChunksInOrder) {
  const auto below = list(0, {{hello_, 5}, {world_, 6}});
  EXPECT_EQ(as_text(read(below)), "helloworld!");
  EXPECT_EQ(as_text(read(list(1, {{below.tree, 11}, {below.tree, 11}}))), "helloworld!helloworld!");
}

TEST_F(ListTest, RejectsLengthsThatAreWrong) {
  const auto below = list(0, {{hello_, 5}});
  test::expect_error(Code::corrupt, "wrong length", [&] { (void)read(list(1, {{below.tree, 6}})); });
  test::expect_error(Code::corrupt, "wrong length", [&] { (void)read(list(0, {{hello_, 6}})); });
  test::expect_error(Code::corrupt, "larger than it may be", [&] { (void)read(below, 4); });
}

TEST_F(ListTest, RejectsListsOfTheWrongLevel) {
  const auto below = list(0, {{hello_, 5}});
  test::expect_error(Code::corrupt, "wrong level", [&] { (void)read(list(2, {{below.tree, 5}})); });
  auto content = below;
  content.tree_level = 1;
  test::expect_error(Code::corrupt, "wrong level", [&] { (void)read(content); });
}

}  // namespace
}  // namespace mbu::tree
