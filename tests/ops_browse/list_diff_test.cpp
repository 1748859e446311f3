#include "../support/expect.hpp"
#include "ops/browse/browse.hpp"
#include "small_repository.hpp"

namespace mbu {
namespace {

using namespace test;

std::vector<std::string> listed(SmallRepository& repository, const ChunkId& root, const std::string& path,
                                bool recursive) {
  std::vector<std::string> paths;
  ops::list(repository.context(), repository.index(), root, path, recursive,
            [&](const EntryInfo& info) { paths.push_back(info.path); });
  return paths;
}

// "+ /a", "- /b", "M /c", "m /d" (metadata), "T /e" (type).
struct Differences {
  std::vector<std::string> lines;
  DiffSummary summary;
};
Differences differences(SmallRepository& repository, const ChunkId& from, const ChunkId& to) {
  Differences all;
  all.summary = ops::diff(repository.context(), {repository.index(), from}, {repository.index(), to}, [&](const DiffLine& line) {
    all.lines.push_back(std::string(1, "+-MmT"[static_cast<int>(line.kind)]) + ' ' + line.path);
  });
  return all;
}

using Paths = std::vector<std::string>;

TEST(List, GoesDepthFirstInNameOrder) {
  SmallRepository repository;
  const auto inner = repository.page(entries(entry("x", EntryType::fifo), entry("y", EntryType::fifo)));
  const auto root = repository.page(entries(directory("b", inner), entry("b-", EntryType::fifo), directory("c", {})));
  repository.finish();
  EXPECT_EQ(listed(repository, root, "/", false), (Paths{"/b", "/b-", "/c"}));
  EXPECT_EQ(listed(repository, root, "/", true), (Paths{"/b", "/b/x", "/b/y", "/b-", "/c"}));
  EXPECT_EQ(listed(repository, root, "/b", false), (Paths{"/b/x", "/b/y"}));
  EXPECT_EQ(listed(repository, root, "/b/x", false), (Paths{"/b/x"}));
  EXPECT_EQ(listed(repository, root, "/c", true), Paths{});
  expect_error(Code::not_found, "is not in the snapshot", [&] { (void)listed(repository, root, "/b/z", false); });
}

TEST(List, ReadsThroughInnerPages) {
  SmallRepository repository;
  format::Page inner;
  inner.level = 1;
  inner.children.push_back({repository.page(entries(entry("a", EntryType::fifo), entry("b", EntryType::fifo))), 2, "a"});
  inner.children.push_back({repository.page(entries(entry("c", EntryType::fifo))), 1, "c"});
  const auto root = repository.page(std::move(inner));
  repository.finish();
  EXPECT_EQ(listed(repository, root, "/", true), (Paths{"/a", "/b", "/c"}));
  EXPECT_EQ(listed(repository, root, "/c", true), (Paths{"/c"}));
}

TEST(List, RefusesPagesOutOfOrder) {
  SmallRepository repository;
  format::Page inner;
  inner.level = 1;
  inner.children.push_back({repository.page(entries(entry("a", EntryType::fifo), entry("d", EntryType::fifo))), 2, "a"});
  inner.children.push_back({repository.page(entries(entry("c", EntryType::fifo))), 1, "c"});
  const auto root = repository.page(std::move(inner));
  repository.finish();
  expect_error(Code::corrupt, "out of order", [&] { (void)listed(repository, root, "/", true); });
}

TEST(List, GivesTheRestOfWhatIsDamaged) {
  SmallRepository repository;
  const ChunkId missing{{9}};
  format::Page inner;
  inner.level = 1;
  inner.children.push_back({repository.page(entries(directory("a", missing), entry("b", EntryType::fifo))), 2, "a"});
  inner.children.push_back({missing, 1, "c"});
  inner.children.push_back({repository.page(entries(entry("d", EntryType::fifo))), 1, "d"});
  const auto root = repository.page(std::move(inner));
  repository.finish();
  Paths paths;
  expect_error(Code::corrupt, "in no pack", [&] {
    ops::list(repository.context(), repository.index(), root, "/", true,
              [&](const EntryInfo& info) { paths.push_back(info.path); });
  });
  EXPECT_EQ(paths, (Paths{"/a", "/b", "/d"}));
}

TEST(Diff, EndsAtDamage) {
  SmallRepository repository;
  format::Page inner;
  inner.level = 1;
  inner.children.push_back({repository.page(entries(entry("a", EntryType::fifo))), 1, "a"});
  inner.children.push_back({ChunkId{{9}}, 1, "b"});
  const auto from = repository.page(std::move(inner));
  const auto to = repository.page(entries(entry("a", EntryType::fifo), entry("b", EntryType::fifo)));
  repository.finish();
  expect_error(Code::corrupt, "in no pack", [&] { (void)differences(repository, from, to); });
}

TEST(Diff, ReadsDirectoriesPageByPage) {
  SmallRepository repository;
  const auto split = [&](const std::string& left_out) {
    format::Page inner;
    inner.level = 1;
    for (const auto* names : {"abc", "def", "ghi"}) {
      format::Page leaf;
      for (const char* name = names; *name != '\0'; ++name) {
        if (left_out.find(*name) == std::string::npos) leaf.entries.push_back(entry(std::string(1, *name), EntryType::fifo));
      }
      const auto count = leaf.entries.size();
      const auto first = leaf.entries.front().name;
      inner.children.push_back({repository.page(std::move(leaf)), count, first});
    }
    return repository.page(std::move(inner));
  };
  const auto from = split("ci"), to = split("dh");
  repository.finish();
  EXPECT_EQ(differences(repository, from, to).lines, (Paths{"+ /c", "- /d", "- /h", "+ /i"}));
}

TEST(Diff, ReadsNoInlinedContentBeyondItsChunk) {
  SmallRepository repository;
  const auto make = [&](const std::string& text) {
    format::Page page;
    page.entries.push_back(file("a", {}, 4096));
    page.entries.back().content.kind = format::Content::Kind::inlined;
    page.inline_chunk = repository.put(format::BlockRole::inlined, as_bytes(text));
    page.inline_length = 4096;
    return repository.page(std::move(page));
  };
  const auto from = make("short"), to = make("other");
  repository.finish();
  expect_error(Code::corrupt, "reaches beyond", [&] { (void)differences(repository, from, to); });
}

TEST(Diff, SaysNothingOfEqualTrees) {
  SmallRepository repository;
  const auto root = repository.page(entries(file("a", repository.chunks({"x"}), 1)));
  repository.finish();
  EXPECT_EQ(differences(repository, root, root).lines, Paths{});
}

TEST(Diff, DoesNotLookIntoEqualSubtrees) {
  SmallRepository repository;
  const ChunkId missing{{9}};  // would be damage if anybody read it
  const auto from = repository.page(entries(directory("d", missing)));
  const auto to = repository.page(entries(directory("d", missing), entry("e", EntryType::fifo)));
  repository.finish();
  EXPECT_EQ(differences(repository, from, to).lines, (Paths{"+ /e"}));
}

TEST(Diff, NamesEveryKindOfChange) {
  SmallRepository repository;
  const auto one = repository.chunks({"one"});
  const auto other = repository.chunks({"two"});
  auto chmod = file("mode", one, 3);
  chmod.mode = 0600;
  auto link_before = entry("link", EntryType::symlink, 0777);
  link_before.target = "a";
  link_before.size = 1;
  auto link_after = entry("link", EntryType::symlink, 0777);
  link_after.target = "b";
  link_after.size = 1;
  const auto gone = repository.page(entries(file("inside", one, 3)));
  const auto from = repository.page(entries(file("content", one, 3), directory("gone", gone), std::move(link_before),
                                            file("mode", one, 3), file("same", one, 3), entry("type", EntryType::fifo)));
  const auto to = repository.page(entries(file("added", one, 3), file("content", other, 3), std::move(link_after),
                                          std::move(chmod), file("same", one, 3), file("type", one, 3)));
  repository.finish();
  const auto found = differences(repository, from, to);
  EXPECT_EQ(found.lines, (Paths{"+ /added", "M /content", "- /gone", "- /gone/inside", "M /link", "m /mode", "T /type"}));
  EXPECT_EQ(found.summary.files_added, 1U);
  EXPECT_EQ(found.summary.files_removed, 1U);
  EXPECT_EQ(found.summary.dirs_removed, 1U);
  EXPECT_EQ(found.summary.files_changed, 2U);
}

TEST(Diff, ComparesInlinedContentsByTheirBytes) {
  SmallRepository repository;
  const auto make = [&](const std::string& text, const std::string& before) {
    format::Page page;
    if (!before.empty()) {
      page.entries.push_back(file("a", {}, before.size()));
      page.entries.back().content.kind = format::Content::Kind::inlined;
    }
    page.entries.push_back(file("b", {}, text.size()));
    page.entries.back().content.kind = format::Content::Kind::inlined;
    page.entries.back().content.inline_offset = static_cast<std::uint32_t>(before.size());
    page.inline_chunk = repository.put(format::BlockRole::inlined, as_bytes(before + text));
    page.inline_length = static_cast<std::uint32_t>(before.size() + text.size());
    return repository.page(std::move(page));
  };
  const auto alone = make("same", "");
  const auto behind = make("same", "more");
  const auto changed = make("SAME", "");
  repository.finish();
  EXPECT_EQ(differences(repository, alone, behind).lines, (Paths{"+ /a"}));
  EXPECT_EQ(differences(repository, alone, changed).lines, (Paths{"M /b"}));
}

}  // namespace
}  // namespace mbu
