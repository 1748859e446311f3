#include "ops/browse/dump.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "small_repository.hpp"

namespace mbu {
namespace {

using namespace test;

std::string dumped(SmallRepository& repository, const ChunkId& root, const std::string& path,
                   const std::string& archive = "tar") {
  std::string bytes;
  ops::dump(repository.context(), repository.index(), root, path, archive,
            [&](ByteView piece) { bytes += as_text(piece); });
  return bytes;
}

struct Unpacked {
  std::string type, link, user, data;
  unsigned mode = 0;
  std::int64_t size = 0, seconds = 0, sparse_runs = 0;
  long nanoseconds = 0;
  std::map<std::string, std::string> attributes;
};

Unpacked unpacked(archive* reader, archive_entry* from) {
  Unpacked item;
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  item.type = std::to_string(archive_entry_filetype(from) & AE_IFMT);
  if (archive_entry_hardlink(from) != nullptr) item.type = "hardlink";
  item.link = text(archive_entry_hardlink(from)) + text(archive_entry_symlink(from));
  item.user = text(archive_entry_uname(from));
  item.mode = archive_entry_perm(from);
  item.size = archive_entry_size(from);
  item.seconds = archive_entry_mtime(from);
  item.nanoseconds = archive_entry_mtime_nsec(from);
  archive_entry_xattr_reset(from);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
    item.attributes[name] = std::string(static_cast<const char*>(value), size);
  }
  item.sparse_runs = archive_entry_sparse_count(from);
  if (item.size > (1 << 20)) return item;
  char buffer[4096];
  for (la_ssize_t got = 0; (got = archive_read_data(reader, buffer, sizeof buffer)) > 0;) {
    item.data.append(buffer, static_cast<std::size_t>(got));
  }
  return item;
}

// By name; `whole`: whether the archive has its end.
std::map<std::string, Unpacked> unpack(const std::string& bytes, bool* whole = nullptr) {
  std::map<std::string, Unpacked> items;
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  archive_read_support_format_zip(reader);
  EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry* from = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(reader, &from)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
    const std::string name = archive_entry_pathname(from);
    items[name] = unpacked(reader, from);
  }
  if (whole != nullptr) *whole = result == ARCHIVE_EOF;
  archive_read_free(reader);
  return items;
}

const std::string kDirectory = std::to_string(AE_IFDIR);
const std::string kRegular = std::to_string(AE_IFREG);
const std::string kSymlink = std::to_string(AE_IFLNK);
const std::string kFifo = std::to_string(AE_IFIFO);
const std::string kDevice = std::to_string(AE_IFCHR);

TEST(Dump, WritesAFileOfEveryKindOfContent) {
  SmallRepository repository;
  format::Page page;
  page.entries = entries(file("chunks", repository.chunks({"one ", "two"}), 7), entry("empty", EntryType::regular));
  auto first = file("inlined-a", {}, 3);
  first.content.kind = format::Content::Kind::inlined;
  auto second = file("inlined-b", {}, 2);
  second.content.kind = format::Content::Kind::inlined;
  second.content.inline_offset = 3;
  page.entries.push_back(std::move(first));
  page.entries.push_back(std::move(second));
  page.entries.push_back(file("list", repository.list({"a", "bc", "def"}), 6));
  page.inline_chunk = repository.put(format::BlockRole::inlined, as_bytes("abcde"));
  page.inline_length = 5;
  const auto root = repository.page(std::move(page));
  repository.finish();
  EXPECT_EQ(dumped(repository, root, "/chunks"), "one two");
  EXPECT_EQ(dumped(repository, root, "/empty"), "");
  EXPECT_EQ(dumped(repository, root, "/inlined-a"), "abc");
  EXPECT_EQ(dumped(repository, root, "/inlined-b"), "de");
  EXPECT_EQ(dumped(repository, root, "//list"), "abcdef");
  EXPECT_EQ(unpack(dumped(repository, root, "/")).at("inlined-b").data, "de");
}

TEST(Dump, FillsHolesWithZeros) {
  SmallRepository repository;
  const std::string zeros(5000, '\0');
  const auto root = repository.page(entries(sparse("hole", {}, 5000, {}),
                                            sparse("runs", repository.chunks({"ab", "cd"}), 5010, {{0, 3}, {5003, 1}})));
  repository.finish();
  EXPECT_EQ(dumped(repository, root, "/hole"), zeros);
  EXPECT_EQ(dumped(repository, root, "/runs"), "abc" + zeros + "d" + std::string(6, '\0'));
  const auto zip = unpack(dumped(repository, root, "/", "zip"));
  EXPECT_EQ(zip.at("runs").data, "abc" + zeros + "d" + std::string(6, '\0'));
}

TEST(Dump, KeepsWhatTarCanHold) {
  SmallRepository repository;
  auto linked = file("a", repository.chunks({"data"}), 4);
  linked.link_group = 7;
  linked.mode = 04755;
  linked.attributes = {{"user.x", {'a', 0, 'b'}}};
  auto other = file("b", linked.content, 4);
  other.link_group = 7;
  auto link = entry("l", EntryType::symlink, 0777);
  link.target = "a\xff";
  link.size = 2;
  auto device = entry("d", EntryType::character_device);
  device.rdev = (std::uint64_t{300} << 32) | 70'000;
  const auto inside = repository.page(entries(std::move(linked), std::move(other), std::move(device),
                                              entry("fifo", EntryType::fifo), std::move(link),
                                              file("n\xc3\xa9", repository.chunks({"utf8"}), 4),
                                              file("n\xff", repository.chunks({"raw"}), 3),
                                              file("o", repository.chunks({"behind"}), 6),
                                              entry("socket", EntryType::socket)));
  const auto below = repository.page(entries(directory("in", inside)));
  const auto root = repository.page(entries(directory("top", below)));
  repository.finish();
  bool whole = false;
  const auto items = unpack(dumped(repository, root, "/top/in/"), &whole);
  EXPECT_TRUE(whole);
  EXPECT_EQ(items.size(), 9U);
  EXPECT_EQ(items.at("top/in/").type, kDirectory);
  EXPECT_EQ(items.at("top/in/").mode, 0755U);
  const auto& a = items.at("top/in/a");
  EXPECT_EQ(a.data, "data");
  EXPECT_EQ(a.mode, 04755U);
  EXPECT_EQ(a.user, "someone");
  EXPECT_EQ(a.seconds, 1'700'000'000);
  EXPECT_EQ(a.nanoseconds, 123'456'789);
  EXPECT_EQ(a.attributes.at("user.x"), std::string("a\0b", 3));
  EXPECT_EQ(items.at("top/in/b").type, "hardlink");
  EXPECT_EQ(items.at("top/in/b").link, "top/in/a");
  EXPECT_EQ(items.at("top/in/l").link, "a\xff");
  EXPECT_EQ(items.at("top/in/d").type, kDevice);
  EXPECT_EQ(items.at("top/in/fifo").type, kFifo);
  EXPECT_EQ(items.at("top/in/n\xff").data, "raw");
  EXPECT_EQ(items.at("top/in/n\xc3\xa9").data, "utf8");
  EXPECT_EQ(items.at("top/in/o").data, "behind");
  ASSERT_EQ(repository.told().notes.size(), 1U);
  EXPECT_NE(repository.told().notes[0].find("/top/in/socket"), std::string::npos);
}

TEST(Dump, DoesNotExpandAHugeHoleInTar) {
  SmallRepository repository;
  constexpr std::uint64_t kSize = 5ULL << 40;
  const auto root = repository.page(entries(sparse("huge", repository.chunks({"head", "tail"}), kSize, {{0, 4}, {kSize - 4, 4}})));
  repository.finish();
  const auto bytes = dumped(repository, root, "/");
  EXPECT_LT(bytes.size(), 16'384U);
  const auto items = unpack(bytes);
  EXPECT_EQ(items.at("huge").size, static_cast<std::int64_t>(kSize));
  EXPECT_GE(items.at("huge").sparse_runs, 1);
}

TEST(Dump, LeavesOutOfZipWhatZipCannotHold) {
  SmallRepository repository;
  auto link = entry("l", EntryType::symlink, 0777);
  link.target = "a";
  link.size = 1;
  const auto root = repository.page(entries(file("a", repository.chunks({"data"}), 4), entry("fifo", EntryType::fifo),
                                            std::move(link), file("n\xff", repository.chunks({"raw"}), 3)));
  repository.finish();
  const auto items = unpack(dumped(repository, root, "/", "zip"));
  EXPECT_EQ(items.size(), 3U);
  EXPECT_EQ(items.at("a").data, "data");
  EXPECT_EQ(items.at("l").type, kSymlink);
  EXPECT_EQ(items.at("n\xff").data, "raw");
  EXPECT_EQ(repository.told().notes.size(), 1U);
}

TEST(Dump, SaysWhatItCannotDo) {
  SmallRepository repository;
  auto link = entry("l", EntryType::symlink, 0777);
  link.target = "a";
  link.size = 1;
  const auto root = repository.page(entries(file("a", repository.chunks({"data"}), 4), std::move(link)));
  repository.finish();
  expect_error(Code::not_found, "is not in the snapshot", [&] { (void)dumped(repository, root, "/b"); });
  expect_error(Code::not_found, "is not in the snapshot", [&] { (void)dumped(repository, root, "/a/b"); });
  expect_error(Code::failed, "neither a file nor a directory", [&] { (void)dumped(repository, root, "/l"); });
  expect_error(Code::usage, "no such kind of archive", [&] { (void)dumped(repository, root, "/", "rar"); });
}

TEST(Dump, StopsAtDamageAndLeavesNoWholeArchive) {
  SmallRepository repository;
  auto good = file("a", repository.chunks({std::string(100'000, 'x')}), 100'000);
  auto bad = file("b", {}, 4);
  bad.content.kind = format::Content::Kind::direct;
  bad.content.chunks = {{ChunkId{{1}}, 4}};  // in no pack
  const auto root = repository.page(entries(std::move(good), std::move(bad)));
  repository.finish();
  std::string bytes;
  expect_error(Code::corrupt, "no pack", [&] {
    ops::dump(repository.context(), repository.index(), root, "/", "tar", [&](ByteView piece) { bytes += as_text(piece); });
  });
  bool whole = true;
  EXPECT_TRUE(unpack(bytes, &whole).contains("a"));
  EXPECT_FALSE(whole);
  EXPECT_GE(bytes.size(), 100'000U);
}

TEST(Dump, RefusesDataThatDoesNotFitTheSize) {
  SmallRepository repository;
  const auto root = repository.page(entries(file("list", repository.list({"abc"}), 4)));
  const auto longer = repository.page(entries(file("list", repository.list({"abc"}), 2)));
  repository.finish();
  expect_error(Code::corrupt, "less data", [&] { (void)dumped(repository, root, "/list"); });
  expect_error(Code::corrupt, "more data", [&] { (void)dumped(repository, longer, "/list"); });
}

TEST(Dump, PassesOnWhatTheReceiverThrows) {
  SmallRepository repository;
  const auto root = repository.page(entries(file("a", repository.chunks({std::string(300'000, 'x')}), 300'000)));
  repository.finish();
  expect_error(Code::failed, "pipe is closed", [&] {
    ops::dump(repository.context(), repository.index(), root, "/", "tar",
              [](ByteView) { throw Error(Code::failed, "pipe is closed"); });
  });
}

TEST(Dump, EndsWhenInterrupted) {
  SmallRepository repository;
  const auto root = repository.page(entries(sparse("huge", {}, 5ULL << 40, {})));
  repository.finish();
  std::uint64_t count = 0;
  expect_error(Code::interrupted, "interrupted", [&] {
    ops::dump(repository.context(), repository.index(), root, "/huge", "tar", [&](ByteView piece) {
      count += piece.size();
      repository.interrupt().raise();
    });
  });
  EXPECT_LT(count, 16U << 20);
}

// 40 chunks of 1 MiB, of which text and noise alternate: more than workers may hold at once.
struct LargeFile {
  SmallRepository repository;
  std::string bytes;
  format::Content content;
  LargeFile() {
    Random random(31);
    std::vector<std::string> pieces;
    for (int i = 0; i < 40; ++i) {
      pieces.push_back(i % 2 == 0 ? std::string(1 << 20, static_cast<char>('a' + i % 26)) + std::to_string(i)
                                  : std::string(as_text(random.bytes(1 << 20))));
      bytes += pieces.back();
    }
    content = repository.chunks(pieces);
  }
  // What came out before the error, if any.
  std::string dump(std::optional<Error>& error) {
    std::vector<format::Entry> all;
    all.push_back(file("large", std::move(content), bytes.size()));
    const auto root = repository.page(std::move(all));
    repository.finish();
    auto context = repository.context();
    context.threads = 3;
    std::string out;
    try {
      ops::dump(context, repository.index(), root, "/large", "tar", [&](ByteView piece) { out += as_text(piece); });
    } catch (const Error& thrown) {
      error = thrown;
    }
    return out;
  }
};

TEST(Dump, ReadsLargeFilesAheadInOrder) {
  LargeFile large;
  std::optional<Error> error;
  EXPECT_TRUE(large.dump(error) == large.bytes);
  EXPECT_FALSE(error);
}

TEST(Dump, GivesWhatLiesBeforeTheFirstChunkThatIsMissing) {
  LargeFile large;
  large.content.chunks[33].id.bytes[0] ^= 1;
  std::optional<Error> error;
  const auto out = large.dump(error);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::corrupt);
  EXPECT_TRUE(out == large.bytes.substr(0, out.size()));
  EXPECT_GT(out.size(), std::size_t{24} << 20);
  EXPECT_LE(out.size(), std::size_t{34} << 20);
}

}  // namespace
}  // namespace mbu
