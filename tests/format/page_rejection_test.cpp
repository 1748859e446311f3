// Every rejection that FORMAT.md §7.2 makes mandatory and one page can show.
#include "page_columns.hpp"

namespace mbu::format {
namespace {

using test::PageColumns;
using test::sample_columns;

template <class Change>
void expect_rejected(Change change, std::string_view what) {
  auto columns = sample_columns();
  change(columns);
  test::expect_corrupt(columns.build(), decode_page, what);
}

template <class Change>
void expect_accepted(Change change) {
  auto columns = sample_columns();
  change(columns);
  EXPECT_NO_THROW(static_cast<void>(decode_page(columns.build(), test::kSubject)));
}

TEST(HostilePage, OfWhichOthersAreMadeIsGood) {
  const auto page = decode_page(sample_columns().build(), test::kSubject);
  ASSERT_EQ(page.entries.size(), 9u);
  EXPECT_EQ(page.entries[2].content.inline_offset, 0u);
  EXPECT_EQ(page.entries[5].content.chunks.at(0).length, 100u);
  EXPECT_EQ(page.entries[6].target, "there");
  EXPECT_EQ(page.entries[7].rdev, 0x1'0000'0003u);
  EXPECT_EQ(page.entries[8].attributes.size(), 2u);
  test::expect_same(decode_page(encode_page(page), test::kSubject), page);
}

TEST(HostilePage, WithAnImpossibleName) {
  for (const char name : {'/', '\0', '.'}) {
    expect_rejected([&](PageColumns& c) { c.names[4] = static_cast<std::uint8_t>(name); }, "");
  }
  const auto only = [](const std::string& name) {
    PageColumns c;
    c.add(name, EntryType::fifo);
    return c.build();
  };
  EXPECT_TRUE(test::decodes(only("..."), decode_page));
  EXPECT_TRUE(test::decodes(only(std::string(4095, 'x')), decode_page));
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("/"),
                                  std::string("a/b"), std::string("a\0", 2), std::string(4096, 'x')}) {
    test::expect_corrupt(only(name), decode_page, "impossible name");
  }
}

TEST(HostilePage, WithNamesThatDoNotAscend) {
  expect_rejected([](PageColumns& c) { c.names[4] = 'd'; }, "not sorted");
  expect_rejected([](PageColumns& c) { c.names[4] = 'c'; }, "not sorted");
}

TEST(HostilePage, WithColumnsOfDifferentLengths) {
  expect_rejected([](PageColumns& c) { c.modes.pop_back(); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.types.push_back(4); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.owner_index.clear(); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.mtime_s.pop_back(); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.mtime_ns.pop_back(); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.btime_s.push_back(0); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.btime_ns.push_back(0); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.sizes.push_back(0); }, "different lengths");
  expect_rejected([](PageColumns& c) { c.name_lengths.push_back(1); }, "different lengths");
}

TEST(HostilePage, WithAColumnThatIsTooShort) {
  constexpr const char* kWhat = "nothing for";
  expect_rejected([](PageColumns& c) { c.names.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_ids.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_files.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_dirs.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_bytes.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.content_kinds.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.chunk_counts.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.chunk_counts[1] = 0xffff; }, kWhat);
  expect_rejected([](PageColumns& c) { c.chunk_ids.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.chunk_lengths.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.tree_ids.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.tree_levels.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.targets.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.rdevs.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.link_groups.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.attribute_index.pop_back(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.flags.clear(); }, kWhat);
  expect_rejected([](PageColumns& c) { c.sparse_maps.clear(); }, "fewer sparse maps");
}

TEST(HostilePage, WithAColumnThatIsTooLong) {
  constexpr const char* kWhat = "longer than its entries need";
  expect_rejected([](PageColumns& c) { c.names.push_back('x'); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_ids.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_files.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_dirs.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.directory_bytes.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.content_kinds.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.chunk_counts.push_back(1); }, kWhat);
  expect_rejected([](PageColumns& c) { c.add_chunk(1); }, kWhat);
  expect_rejected([](PageColumns& c) { c.tree_ids.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.tree_levels.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.targets.push_back('x'); }, kWhat);
  expect_rejected([](PageColumns& c) { c.rdevs.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.sparse_rows.push_back(5); }, kWhat);
  expect_rejected([](PageColumns& c) { c.sparse_maps.push_back({}); }, kWhat);
  expect_rejected([](PageColumns& c) { c.link_rows.push_back(9); }, kWhat);
  expect_rejected([](PageColumns& c) { c.link_groups.push_back(1); }, kWhat);
  expect_rejected([](PageColumns& c) { c.attribute_index.push_back(0); }, kWhat);
  expect_rejected([](PageColumns& c) { c.flags.push_back(0x10); }, kWhat);
}

TEST(HostilePage, WithRowsThatDoNotAscend) {
  constexpr const char* kWhat = "longer than its entries need";
  expect_rejected([](PageColumns& c) { std::swap(c.link_rows[0], c.link_rows[1]); }, kWhat);
  expect_rejected([](PageColumns& c) { c.link_rows = {1, 1}; }, kWhat);
  expect_rejected([](PageColumns& c) { c.attribute_rows = {8, 0}; }, kWhat);
  expect_rejected([](PageColumns& c) { c.attribute_rows = {0, 9}; }, kWhat);
  expect_rejected([](PageColumns& c) { c.flag_rows = {100}; }, kWhat);
}

TEST(HostilePage, WithAnUnknownTypeOrKind) {
  for (const auto type : std::initializer_list<std::uint8_t>{0, 8, 255}) {
    expect_rejected([&](PageColumns& c) { c.types[8] = type; }, "type that is not known");
  }
  expect_rejected([](PageColumns& c) { c.content_kinds[3] = 4; }, "kind that is not known");
}

TEST(HostilePage, WithImpossibleNumbers) {
  expect_rejected([](PageColumns& c) { c.modes[3] = 010000; }, "impossible mode");
  expect_rejected([](PageColumns& c) { c.mtime_ns[3] = 1'000'000'000; }, "impossible time");
  expect_rejected([](PageColumns& c) { c.mtime_ns[3] = 0xffff'ffff; }, "impossible time");
  expect_rejected([](PageColumns& c) { c.btime_ns[3] = 1'000'000'000; }, "impossible time");
  expect_rejected([](PageColumns& c) { c.flags[0] = 0x08; }, "flags");
  expect_rejected([](PageColumns& c) { c.link_groups[0] = 0; }, "without a number");
  expect_rejected([](PageColumns& c) { c.sizes[3] = kLargestFile + 1; }, "larger than any file");
  expect_rejected([](PageColumns& c) { c.sizes[8] = 1; }, "is no file");
  expect_rejected([](PageColumns& c) { c.sizes[0] = 1; }, "is no file");
  expect_rejected([](PageColumns& c) { c.owner_index[3] = 1; }, "owner");
  expect_rejected([](PageColumns& c) { c.attribute_index[1] = 1; }, "attributes");
}

TEST(HostilePage, WithContentThatDoesNotFitItsSize) {
  expect_rejected([](PageColumns& c) { c.sizes[1] = 31; }, "add up");
  expect_rejected([](PageColumns& c) { c.sizes[1] = 29; }, "add up");
  expect_rejected([](PageColumns& c) { c.sizes[4] = 1; }, "no content");
  expect_rejected([](PageColumns& c) { c.sizes[3] = 0; }, "no size");
  expect_rejected([](PageColumns& c) { c.sizes[2] = 0; }, "no size");
  expect_rejected([](PageColumns& c) { c.chunk_lengths[0] = 0; }, "impossible length");
  expect_rejected([](PageColumns& c) { c.chunk_lengths[0] = kLargestChunk + 1; }, "impossible length");
  expect_rejected([](PageColumns& c) { c.chunk_counts[0] = 0; }, "without chunks");
  expect_rejected([](PageColumns& c) { std::fill_n(c.chunk_ids.begin(), 32, std::uint8_t{0}); }, "cannot exist");
  expect_rejected([](PageColumns& c) { c.tree_ids.assign(32, 0); }, "cannot exist");
  expect_rejected([](PageColumns& c) { c.tree_levels[0] = 8; }, "impossible level");
}

TEST(HostilePage, WithInlinedContentsThatDoNotFillTheirChunk) {
  expect_rejected([](PageColumns& c) { c.inline_length = 8; }, "do not fill");
  expect_rejected([](PageColumns& c) { c.inline_length = 6; }, "longer than their chunk");
  expect_rejected([](PageColumns& c) { c.inline_chunk.clear(); }, "no chunk");
  expect_rejected([](PageColumns& c) { c.inline_chunk.pop_back(); }, "malformed id");
  expect_rejected([](PageColumns& c) { c.sizes[2] = 5'000'000; }, "longer than their chunk");
}

TEST(HostilePage, WithAnImpossibleSparseMap) {
  const auto map = [](std::vector<std::uint8_t> bytes) {
    return [bytes](PageColumns& c) { c.sparse_maps[0].in_place = bytes; };
  };
  expect_rejected(map({0x80}), "not well formed");
  expect_rejected(map({0x05}), "not well formed");
  expect_rejected(map({0x85, 0x00, 0x64}), "not well formed");  // 5 in two bytes
  expect_rejected(map({1, 0}), "empty run");
  expect_rejected(map({0, 50, 0, 50}), "empty run");
  expect_rejected(map({0x88, 0x27, 100}), "beyond the file's end");  // a hole of 5000
  expect_rejected(map({1, 99}), "add up");
  expect_rejected(map({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 100}), "beyond");
  expect_rejected(map({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 100}), "not well formed");
  expect_rejected([](PageColumns& c) { c.sparse_maps[0].in_place = ByteBuffer(514, 1); }, "too long");
  expect_accepted(map({0, 100}));
}

TEST(HostilePage, WithHolesInWhatIsInlined) {
  expect_rejected(
      [](PageColumns& c) {
        c.sparse_rows = {2};
        c.sizes[2] = 5000;
        c.sparse_maps[0].in_place = {0, 7};
        c.sizes[5] = 100;
      },
      "has holes, but is inlined");
}

TEST(HostilePage, WithASparseMapInTwoPlaces) {
  expect_rejected(
      [](PageColumns& c) {
        c.sparse_maps[0].ids = ByteBuffer(32, 'm');
        c.sparse_maps[0].lengths = {3};
      },
      "two sparse maps");
  expect_rejected(
      [](PageColumns& c) {
        c.sparse_maps[0] = {{}, ByteBuffer(32, 'm'), {3}, ByteBuffer(32, 't'), 0};
      },
      "two places");
  expect_rejected([](PageColumns& c) { c.sparse_maps[0] = {{}, ByteBuffer(33, 'm'), {3}, {}, 0}; }, "more ids");
  expect_rejected([](PageColumns& c) { c.sparse_maps[0] = {{}, {}, {}, ByteBuffer(31, 't'), 0}; }, "malformed id");
  expect_accepted([](PageColumns& c) { c.sparse_maps[0] = {{}, {}, {}, ByteBuffer(32, 't'), 0}; });
}

TEST(HostilePage, WithASparseMapForWhatIsNoFile) {
  expect_rejected(
      [](PageColumns& c) {
        c.sparse_rows = {5, 8};
        c.sparse_maps.push_back({});
      },
      "is no file");
}

TEST(HostilePage, WithAttributesOutOfOrder) {
  expect_rejected([](PageColumns& c) { std::swap(c.attribute_sets[0][0], c.attribute_sets[0][1]); }, "not sorted");
  expect_rejected([](PageColumns& c) { c.attribute_sets[0][1].name = "user.a"; }, "not sorted");
  expect_rejected([](PageColumns& c) { c.attribute_sets[0][0].name = ""; }, "impossible name");
  expect_rejected([](PageColumns& c) { c.attribute_sets[0][0].name = std::string("a\0", 2); }, "impossible name");
}

TEST(HostilePage, WithALinkedDirectory) {
  expect_rejected([](PageColumns& c) { c.link_rows = {0, 2}; }, "several names");
}

TEST(HostilePage, WithASymlinkTargetThatHoldsAZeroByte) {
  expect_rejected([](PageColumns& c) { c.targets[2] = 0; }, "zero byte");
}

// A few bytes of page must not stand for gigabytes of entries.
TEST(HostilePage, ThatExpandsWithoutEnd) {
  PageColumns c;
  c.user = std::string(1'000'000, 'u');
  for (int i = 0; i < 100; ++i) c.add("n" + std::to_string(1000 + i), EntryType::fifo);
  test::expect_corrupt(c.build(), decode_page, "too many attributes");
}

TEST(HostilePage, ThatIsBothInnerAndLeaf) {
  expect_rejected([](PageColumns& c) { c.level = 1; }, "entries as well");
  expect_rejected([](PageColumns& c) { c.child_ids = ByteBuffer(32, 'p'); }, "entries as well");
}

PageColumns inner_columns() {
  PageColumns c;
  c.level = 1;
  c.child_ids = ByteBuffer(64, 'p');
  c.child_entries = {5, 6};
  c.child_name_lengths = {1, 1};
  c.child_names = {'a', 'b'};
  return c;
}

template <class Change>
void expect_inner_rejected(Change change, std::string_view what) {
  auto columns = inner_columns();
  change(columns);
  test::expect_corrupt(columns.build(), decode_page, what);
}

TEST(HostileInnerPage, IsRejected) {
  EXPECT_TRUE(test::decodes(inner_columns().build(), decode_page));
  expect_inner_rejected([](PageColumns& c) { c.level = 8; }, "impossible level");
  expect_inner_rejected([](PageColumns& c) { c.child_entries[0] = 0; }, "number of entries");
  expect_inner_rejected([](PageColumns& c) { c.child_entries = {~0ull, 1}; }, "number of entries");
  expect_inner_rejected([](PageColumns& c) { c.child_entries.pop_back(); }, "different lengths");
  expect_inner_rejected([](PageColumns& c) { c.child_ids.pop_back(); }, "nothing for");
  expect_inner_rejected([](PageColumns& c) { c.child_ids.push_back(0); }, "longer than");
  expect_inner_rejected([](PageColumns& c) { c.child_names.push_back('c'); }, "longer than");
  expect_inner_rejected([](PageColumns& c) { c.child_names = {'b', 'a'}; }, "not sorted");
  expect_inner_rejected([](PageColumns& c) { c.child_names = {'a', '/'}; }, "impossible name");
  expect_inner_rejected([](PageColumns& c) { c.child_ids.assign(64, 0); }, "cannot exist");
  expect_inner_rejected(
      [](PageColumns& c) {
        c.child_ids.clear();
        c.child_entries.clear();
        c.child_name_lengths.clear();
        c.child_names.clear();
      },
      "no pages");
}

TEST(HostilePage, ThatIsTooLongOrNone) {
  test::expect_corrupt(ByteBuffer(kLargestChunk + 1), decode_page, "longer than a chunk");
  test::expect_corrupt({}, decode_page, "well-formed");
  test::expect_corrupt(ByteBuffer(64, 0xff), decode_page, "well-formed");
}

}  // namespace
}  // namespace mbu::format
