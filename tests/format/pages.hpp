// Pages drawn at random with every property that an entry can have, and what makes two of them equal.
#pragma once

#include "format/page.hpp"
#include "support.hpp"

namespace mbu::format::test {

inline Content direct_content(Random& random, std::uint64_t length) {
  Content content;
  content.kind = Content::Kind::direct;
  while (length > 0) {
    const auto piece = std::min<std::uint64_t>(length, 1 + random.below(kLargestChunk));
    content.chunks.push_back({random.id<ChunkId>(), static_cast<std::uint32_t>(piece)});
    length -= piece;
  }
  return content;
}

inline Content tree_content(Random& random) {
  Content content;
  content.kind = Content::Kind::tree;
  content.tree = random.id<ChunkId>();
  content.tree_level = static_cast<std::uint8_t>(random.below(8));
  return content;
}

// A map with a few runs, and the sum of their lengths.
inline std::unique_ptr<SparseMap> some_map(Random& random, std::uint64_t& size, std::uint64_t& data) {
  auto map = std::make_unique<SparseMap>();
  std::vector<DataRun> runs;
  std::uint64_t at = random.below(10'000);
  data = 0;
  for (auto count = random.below(5); count > 0; --count) {
    runs.push_back({at, 1 + random.below(5000)});
    data += runs.back().length;
    at += runs.back().length + 1 + random.below(1'000'000);
  }
  map->encoded = encode_sparse_map(runs);
  size = at;
  return map;
}

// Makes the entry a regular file. Inlined contents follow each other in the page's inline chunk.
inline void make_regular(Random& random, Page& page, Entry& entry) {
  std::uint64_t data = 1 + random.below(9000);
  entry.size = data;
  const auto sparse = random.below(6);
  if (sparse == 0) entry.sparse = some_map(random, entry.size, data);
  if (sparse == 1) {
    entry.size = data + random.below(1'000'000);
    entry.sparse = std::make_unique<SparseMap>();
    entry.sparse->stored = random.coin() ? tree_content(random) : direct_content(random, 600);
    entry.content = random.coin() ? tree_content(random) : direct_content(random, data);
    return;
  }
  const auto kind = data == 0 ? 0 : random.below(4);
  switch (kind == 1 && entry.sparse ? 2 : kind) {
    case 0:
      if (data != 0) entry.sparse.reset();
      if (data != 0) entry.size = 0;
      break;
    case 1:
      entry.content.kind = Content::Kind::inlined;
      entry.content.inline_offset = page.inline_length;
      page.inline_length += static_cast<std::uint32_t>(data);
      break;
    case 2: entry.content = direct_content(random, data); break;
    default: entry.content = tree_content(random); break;
  }
}

inline void make_some_type(Random& random, Page& page, Entry& entry) {
  entry.type = static_cast<EntryType>(1 + random.below(7));
  switch (entry.type) {
    case EntryType::directory:
      if (random.below(4) != 0) entry.directory = random.id<ChunkId>();
      entry.directory_files = random.number();
      entry.directory_dirs = random.number();
      entry.directory_bytes = random.number();
      break;
    case EntryType::regular: make_regular(random, page, entry); break;
    case EntryType::symlink:
      entry.target = random.word(random.below(100));
      entry.size = entry.target.size();
      break;
    case EntryType::character_device:
    case EntryType::block_device: entry.rdev = random.number(); break;
    default: break;
  }
}

inline Entry some_entry(Random& random, Page& page, std::string name) {
  Entry entry;
  entry.name = std::move(name);
  make_some_type(random, page, entry);
  entry.mode = static_cast<std::uint16_t>(random.below(010000));
  entry.uid = static_cast<std::uint32_t>(random.below(3));
  entry.gid = static_cast<std::uint32_t>(random.below(2));
  if (random.coin()) entry.user = random.coin() ? "root" : "\xff\xfe";
  if (random.coin()) entry.group = "wheel";
  entry.mtime = {random.any<std::int64_t>(), static_cast<std::uint32_t>(random.below(1'000'000'000))};
  if (random.coin()) entry.btime = {random.any<std::int64_t>(), static_cast<std::uint32_t>(random.below(1'000'000'000))};
  if (random.below(5) == 0 && !entry.is_directory()) entry.link_group = 1 + random.below(1000);
  if (random.below(5) == 0) entry.flags = 0x10u * static_cast<std::uint32_t>(random.below(8));
  if (random.below(4) == 0) {
    entry.attributes.push_back({"system.posix_acl_access", random.bytes(random.below(40))});
    if (random.coin()) entry.attributes.push_back({"user.\xff", random.bytes(random.below(300))});
  }
  return entry;
}

// Names are raw bytes; they ascend.
inline Page some_leaf(Random& random, std::size_t count) {
  Page page;
  std::vector<std::string> names;
  while (names.size() < count) {
    auto name = random.raw(1 + random.below(20));
    if (is_valid_name(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (auto& name : names) page.entries.push_back(some_entry(random, page, std::move(name)));
  if (page.inline_length != 0) page.inline_chunk = random.id<ChunkId>();
  return page;
}

inline Page some_inner(Random& random, std::size_t count) {
  Page page;
  page.level = static_cast<std::uint8_t>(1 + random.below(kHighestPageLevel));
  for (std::size_t i = 0; i < count; ++i) {
    page.children.push_back({random.id<ChunkId>(), 1 + random.below(1'000'000), "name" + std::to_string(100'000 + i)});
  }
  return page;
}

inline void expect_same(const Entry& a, const Entry& b) {
  EXPECT_EQ(to_hex(as_bytes(a.name)), to_hex(as_bytes(b.name)));
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.mode, b.mode);
  EXPECT_EQ(std::tie(a.uid, a.gid, a.user, a.group), std::tie(b.uid, b.gid, b.user, b.group));
  EXPECT_TRUE(a.mtime == b.mtime && a.btime == b.btime);
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.rdev, b.rdev);
  EXPECT_EQ(a.link_group, b.link_group);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.attributes, b.attributes);
  EXPECT_EQ(a.content, b.content);
  ASSERT_EQ(a.sparse == nullptr, b.sparse == nullptr);
  if (a.sparse) {
    EXPECT_EQ(*a.sparse, *b.sparse);
  }
  EXPECT_EQ(a.directory, b.directory);
  EXPECT_EQ(std::tie(a.directory_files, a.directory_dirs, a.directory_bytes),
            std::tie(b.directory_files, b.directory_dirs, b.directory_bytes));
}

inline void expect_same(const Page& a, const Page& b) {
  EXPECT_EQ(a.level, b.level);
  EXPECT_EQ(a.children, b.children);
  EXPECT_EQ(a.inline_chunk, b.inline_chunk);
  EXPECT_EQ(a.inline_length, b.inline_length);
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.entries.size(); ++i) expect_same(a.entries[i], b.entries[i]);
}

}  // namespace mbu::format::test
