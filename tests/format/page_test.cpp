#include "format/page.hpp"

#include "pages.hpp"

namespace mbu::format {
namespace {

using test::Random;

TEST(Page, RoundTripsLeaves) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const auto page = test::some_leaf(random, random.below(60));
    test::expect_same(decode_page(encode_page(page), test::kSubject), page);
  }
}

TEST(Page, RoundTripsInnerPages) {
  Random random(2);
  for (int round = 0; round < 50; ++round) {
    const auto page = test::some_inner(random, 1 + random.below(50));
    test::expect_same(decode_page(encode_page(page), test::kSubject), page);
  }
}

TEST(Page, RoundTripsAnEmptyDirectory) {
  test::expect_same(decode_page(encode_page(Page{}), test::kSubject), Page{});
}

TEST(Page, OfEqualEntriesHasEqualBytes) {
  for (int round = 0; round < 20; ++round) {
    Random one(100), same(100);
    EXPECT_EQ(encode_page(test::some_leaf(one, 50)), encode_page(test::some_leaf(same, 50)));
  }
}

// Encoding what was decoded gives the same bytes: there is one form only of what this program writes.
TEST(Page, IsCanonical) {
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    const auto bytes = encode_page(test::some_leaf(random, 40));
    EXPECT_EQ(encode_page(decode_page(bytes, test::kSubject)), bytes);
  }
}

TEST(Page, KeepsOwnersAndAttributesThatManyShareOnce) {
  const auto page_of = [](std::size_t count) {
    Page page;
    for (std::size_t i = 0; i < count; ++i) {
      auto& entry = page.entries.emplace_back();
      entry.name = "n" + std::to_string(1000 + i);
      entry.type = EntryType::fifo;
      entry.user = std::string(200, 'u');
      entry.attributes.push_back({"user.long", ByteBuffer(2000, 7)});
    }
    return encode_page(page);
  };
  EXPECT_LT(page_of(100).size(), page_of(1).size() + 99 * 100);
}

TEST(Page, DropsBitsThatAreNotKept) {
  Page page;
  auto& entry = page.entries.emplace_back();
  entry.name = "a";
  entry.type = EntryType::fifo;
  entry.mode = 0177777;
  entry.flags = 0xffff'ffff;
  entry.mtime.nanoseconds = 0xffff'ffff;
  const auto decoded = decode_page(encode_page(page), test::kSubject);
  EXPECT_EQ(decoded.entries[0].mode, 07777u);
  EXPECT_EQ(decoded.entries[0].flags, 0x70u);
  EXPECT_EQ(decoded.entries[0].mtime.nanoseconds, 999'999'999u);
}

TEST(Page, WeighsItsEntriesAtLeastAsMuchAsTheyTake) {
  Random random(4);
  for (int round = 0; round < 200; ++round) {
    const auto page = test::some_leaf(random, random.below(100));
    std::size_t weight = kPageOverhead;
    for (const auto& entry : page.entries) weight += entry_weight(entry);
    EXPECT_LE(encode_page(page).size(), weight);
  }
}

// What encode_page() must refuse: one entry, changed by `change`.
template <class Change>
void expect_entry_refused(Change change, std::string_view what) {
  Page page;
  auto& entry = page.entries.emplace_back();
  entry.name = "a";
  change(entry);
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, what);
}

TEST(Page, RefusesImpossibleNames) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("a\0b", 3), std::string(4096, 'a')}) {
    expect_entry_refused([&](Entry& entry) { entry.name = name; }, "impossible name");
  }
  Page page;
  page.entries.emplace_back().name = std::string(4095, 'a');
  test::expect_same(decode_page(encode_page(page), test::kSubject), page);
}

TEST(Page, RefusesContentThatDoesNotFitItsSize) {
  expect_entry_refused([](Entry& entry) { entry.size = 1; }, "no content");
  expect_entry_refused([](Entry& entry) { entry.content.kind = Content::Kind::inlined; }, "no size");
  expect_entry_refused([](Entry& entry) { entry.content.kind = Content::Kind::tree; }, "cannot exist");
  expect_entry_refused([](Entry& entry) { entry.content.kind = Content::Kind::direct; }, "without chunks");
  expect_entry_refused(
      [](Entry& entry) {
        Random random(5);
        entry.content = test::direct_content(random, 100);
        entry.size = 101;
      },
      "add up");
  expect_entry_refused([](Entry& entry) { entry.size = kLargestFile + 1; }, "larger than any file");
}

TEST(Page, RefusesWhatOtherTypesCannotHave) {
  expect_entry_refused(
      [](Entry& entry) {
        entry.type = EntryType::directory;
        entry.link_group = 1;
      },
      "several names");
  expect_entry_refused(
      [](Entry& entry) {
        entry.type = EntryType::fifo;
        entry.size = 1;
      },
      "is no file");
  expect_entry_refused(
      [](Entry& entry) {
        entry.type = EntryType::symlink;
        entry.target = "there";
      },
      "target");
  expect_entry_refused(
      [](Entry& entry) {
        entry.type = EntryType::socket;
        entry.sparse = std::make_unique<SparseMap>();
      },
      "is no file");
  expect_entry_refused([](Entry& entry) { entry.attributes = {{"b", {}}, {"a", {}}}; }, "not sorted");
  expect_entry_refused([](Entry& entry) { entry.attributes = {{"", {}}}; }, "impossible name");
}

TEST(Page, RefusesNamesThatDoNotAscend) {
  Page page;
  page.entries.emplace_back().name = "b";
  page.entries.emplace_back().name = "b";
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, "behind the one before");
  page.entries[1].name = "a";
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, "behind the one before");
}

TEST(Page, RefusesInlinedContentsWithAGap) {
  Random random(6);
  Page page;
  auto& entry = page.entries.emplace_back();
  entry.name = "a";
  entry.size = 5;
  entry.content.kind = Content::Kind::inlined;
  page.inline_length = 5;
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, "add up");  // there is no chunk
  page.inline_chunk = random.id<ChunkId>();
  static_cast<void>(encode_page(page));
  entry.content.inline_offset = 1;
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, "where the one before ends");
}

TEST(Page, RefusesToBeLongerThanAChunk) {
  Random random(7);
  Page page;
  auto& entry = page.entries.emplace_back();
  entry.name = "a";
  entry.attributes.push_back({"user.large", random.bytes(kLargestChunk)});
  test::expect_refused([&] { static_cast<void>(encode_page(page)); }, "longer than a chunk");
}

TEST(Page, RefusesImpossibleInnerPages) {
  Random random(8);
  const auto refused = [&](auto change, std::string_view what) {
    auto page = test::some_inner(random, 3);
    change(page);
    test::expect_refused([&] { static_cast<void>(encode_page(page)); }, what);
  };
  refused([](Page& page) { page.level = 0; }, "pages below");
  refused([](Page& page) { page.level = 8; }, "level");
  refused([](Page& page) { page.children.clear(); }, "no pages");
  refused([](Page& page) { page.children[1].entries = 0; }, "number of entries");
  refused([](Page& page) { page.children[1].entries = ~0ull; }, "number of entries");
  refused([](Page& page) { page.children[1].id = {}; }, "cannot exist");
  refused([](Page& page) { page.children[1].first_name = ".."; }, "name");
  refused([](Page& page) { page.children[1].first_name = page.children[0].first_name; }, "not sorted");
  refused([](Page& page) { page.entries.emplace_back().name = "a"; }, "entries as well");
}

TEST(Page, SurvivesTampering) {
  Random random(9);
  test::expect_survives_tampering(encode_page(test::some_leaf(random, 5)), decode_page);
  test::expect_survives_tampering(encode_page(test::some_inner(random, 3)), decode_page);
}

// What a tampered page decodes to must be a page that can be written, and read again as the same.
TEST(Page, DecodesNothingThatItWouldNotWrite) {
  Random random(10);
  for (int round = 0; round < 3000; ++round) {
    auto bytes = encode_page(test::some_leaf(random, 1 + random.below(8)));
    for (auto count = 1 + random.below(4); count > 0; --count) bytes[random.below(bytes.size())] = random.any<std::uint8_t>();
    std::optional<Page> page;
    try {
      page = decode_page(bytes, test::kSubject);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt) << error.what();
      continue;
    }
    test::expect_same(decode_page(encode_page(*page), test::kSubject), *page);
  }
}

}  // namespace
}  // namespace mbu::format
