#include "ops/restore/restore.hpp"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../ops_browse/small_repository.hpp"
#include "../support/expect.hpp"
#include "repo/pack_writer.hpp"

namespace mbu::ops {
namespace {

namespace fs = std::filesystem;
using Overwrite = RestoreOptions::Overwrite;

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
struct stat look(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}
void set_time(const std::string& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

class Restore : public ::testing::Test {
 protected:
  // Everything of a page's entries goes straight into the target.
  RestoreSummary restore(std::vector<format::Entry> entries) {
    root_ = repository_.page(test::entries(test::directory("top", repository_.page(std::move(entries)))));
    repository_.finish();
    return again();
  }
  RestoreSummary again() {
    repo::StoredSnapshot stored;
    stored.snapshot.root = root_;
    stored.snapshot.paths = {"/top"};
    options_.subpath = "/top";
    options_.target = target_;
    const auto context = repository_.context();
    return ops::restore(context, repository_.index(), stored, options_, {});
  }
  [[nodiscard]] std::string at(const std::string& name) const { return target_ + '/' + name; }
  [[nodiscard]] std::vector<std::string> told() { return std::exchange(repository_.told().problems, {}); }

  test::SmallRepository repository_;
  std::string target_ = repository_.path("target");
  RestoreOptions options_;
  ChunkId root_;
};

TEST_F(Restore, PutsBytesWhereTheyBelong) {
  const std::string first(300'000, 'a'), second(300'000, 'b'), small = "tiny";
  auto holes = test::sparse("holes", repository_.chunks({"0123456789"}), 1'000'000, {{4096, 4}, {500'000, 6}});
  auto one_hole = test::file("hole", {}, 5'000'000'000);
  one_hole.sparse = std::make_unique<format::SparseMap>();
  const auto summary = restore(test::entries(test::file("empty", {}, 0), std::move(one_hole), std::move(holes),
                                             test::file("list", repository_.list({first, second, first}), 900'000),
                                             test::file("swapped", repository_.chunks({second, first}), 600'000)));
  EXPECT_EQ(summary.files_restored, 5U);
  EXPECT_EQ(summary.problems, 0U);
  EXPECT_EQ(read(at("list")), first + second + first);
  EXPECT_EQ(read(at("swapped")), second + first);
  const auto text = read(at("holes"));
  ASSERT_EQ(text.size(), 1'000'000U);
  EXPECT_EQ(text.substr(4096, 4) + text.substr(500'000, 6), "0123456789");
  EXPECT_EQ(look(at("hole")).st_size, 5'000'000'000);
  EXPECT_EQ(look(at("hole")).st_blocks, 0);
  EXPECT_EQ(look(at("empty")).st_mode, S_IFREG | 0644U);
  EXPECT_EQ(look(at("empty")).st_mtim.tv_nsec, 123'456'789);
}

TEST_F(Restore, MoreFilesThanABatchHolds) {
  std::vector<format::Entry> entries;
  for (int i = 100'000; i < 120'500; ++i) entries.push_back(test::file(std::to_string(i), {}, 0));
  options_.verify = true;
  EXPECT_EQ(restore(std::move(entries)).files_restored, 20'500U);
  EXPECT_EQ(look(target_).st_mtim.tv_sec, 1'700'000'000);  // after all that is in it
  EXPECT_EQ(again().files_unchanged, 20'500U);
}

TEST_F(Restore, WritesNothingOfAChunkThatIsNotWhatItsIdSays) {
  auto wrong = repository_.chunks({"right"});
  wrong.chunks[0].id.bytes[0] ^= 1;
  auto longer = repository_.chunks({"right"});
  longer.chunks[0].length = 6;
  const auto summary = restore(test::entries(test::file("good", repository_.chunks({"right"}), 5),
                                             test::file("longer", std::move(longer), 6), test::file("wrong", std::move(wrong), 5)));
  EXPECT_TRUE(summary.damaged);
  EXPECT_EQ(told(), (std::vector<std::string>{"/top/longer", "/top/wrong"}));
  EXPECT_EQ(read(at("good")), "right");
  EXPECT_FALSE(fs::exists(at("wrong")));
  EXPECT_FALSE(fs::exists(at("longer")));
}

TEST_F(Restore, LooksAtEveryChunkBeforeItWritesIt) {
  const auto& vault = repository_.vault();
  const auto& domain = vault.keyring().own_domain();
  const std::string claimed = "right", held = "wrong";
  const format::ChunkRef ref{repo::chunk_id(domain, format::BlockRole::data, as_bytes(claimed)), 5};
  repo::BlockScratch scratch{Compression{}};
  repo::PackWriter pack(vault, false);
  pack.add(format::BlockRole::data, repo::Packing::compressed, as_bytes(held), {{ref}}, scratch);
  (void)pack.finish(scratch);
  format::Content content;
  content.kind = format::Content::Kind::direct;
  content.chunks = {ref};
  EXPECT_TRUE(restore(test::entries(test::file("file", std::move(content), 5))).damaged);
  EXPECT_EQ(told(), std::vector<std::string>{"/top/file"});
  EXPECT_FALSE(fs::exists(at("file")));
}

TEST_F(Restore, FinishesATargetThatAKilledOneMade) {
  fs::create_directories(target_);
  ::chmod(target_.c_str(), 01700);
  restore({});
  EXPECT_EQ(look(target_).st_mode & 07777, 0755U);
  ::chmod(target_.c_str(), 0700);
  again();
  EXPECT_EQ(look(target_).st_mode & 07777, 0700U);  // of another name: the user's
}

TEST_F(Restore, ADamagedFileLeavesWhatWasThere) {
  fs::create_directories(target_);
  write(at("file"), "before");
  auto content = repository_.chunks({"whole", "missing"});
  content.chunks[1].id.bytes[5] ^= 1;
  options_.overwrite = Overwrite::always;
  EXPECT_TRUE(restore(test::entries(test::file("file", std::move(content), 12))).damaged);
  EXPECT_EQ(read(at("file")), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(target_), {}), 1);
}

TEST_F(Restore, KeepsWhatIsNewerAndNamesIt) {
  fs::create_directories(target_);
  write(at("newer"), "edit!");
  write(at("older"), "edit!");
  set_time(at("older"), 1'000'000'000);
  const auto summary = restore(test::entries(test::file("newer", repository_.chunks({"right"}), 5),
                                             test::file("older", repository_.chunks({"right"}), 5)));
  EXPECT_EQ(summary.files_kept, 1U);
  EXPECT_EQ(told(), std::vector<std::string>{at("newer")});
  EXPECT_EQ(read(at("newer")), "edit!");
  EXPECT_EQ(read(at("older")), "right");
  options_.overwrite = Overwrite::always;
  EXPECT_EQ(again().files_restored, 1U);
  EXPECT_EQ(read(at("newer")), "right");
}

TEST_F(Restore, ReplacesWhatAKilledRestoreLeft) {
  fs::create_directories(target_);
  write(at("torn"), "ri");
  ::chmod(at("torn").c_str(), 01600);
  write(at(".mbu-restore-0123456789abcdef"), "rig");
  write(at(".mbu-restore-mine"), "kept");
  EXPECT_EQ(restore(test::entries(test::file("torn", repository_.chunks({"right"}), 5))).files_extra, 1U);
  EXPECT_EQ(read(at("torn")), "right");
  EXPECT_FALSE(fs::exists(at(".mbu-restore-0123456789abcdef")));
  EXPECT_TRUE(fs::exists(at(".mbu-restore-mine")));
}

TEST_F(Restore, GoesThroughNoSymlink) {
  const auto outside = repository_.path("outside");
  fs::create_directories(outside);
  fs::create_directories(target_);
  fs::create_symlink(outside, at("directory"));
  fs::create_symlink(outside + "/file", at("file"));
  set_time(at("file"), 1'000'000'000);
  set_time(at("directory"), 1'900'000'000);
  const auto inside = repository_.page(test::entries(test::file("x", repository_.chunks({"right"}), 5)));
  const auto summary = restore(test::entries(test::directory("directory", inside),
                                             test::file("file", repository_.chunks({"right"}), 5)));
  EXPECT_TRUE(fs::is_empty(outside));
  EXPECT_EQ(told(), std::vector<std::string>{at("directory")});
  EXPECT_EQ(summary.files_restored, 1U);
  EXPECT_TRUE(S_ISREG(look(at("file")).st_mode));
}

TEST_F(Restore, ChangesNothingThroughAHardLink) {
  fs::create_directories(target_);
  const auto outside = repository_.path("outside");
  write(outside, "right");
  ::chmod(outside.c_str(), 0600);
  fs::create_hard_link(outside, at("file"));
  restore(test::entries(test::file("file", repository_.chunks({"right"}), 5)));
  EXPECT_EQ(look(outside).st_mode & 07777, 0600U);
  EXPECT_EQ(look(at("file")).st_mode & 07777, 0644U);
  EXPECT_EQ(look(at("file")).st_nlink, 1U);
}

TEST_F(Restore, LinksNamesOfOneFile) {
  const auto named = [&](const std::string& name) {
    auto made = test::file(name, repository_.chunks({"right"}), 5);
    made.link_group = 7;
    return made;
  };
  fs::create_directories(target_);
  write(at("a"), "other");  // newer: stays, so that the others must do without it
  const auto summary = restore(test::entries(named("a"), named("b"), named("c")));
  EXPECT_EQ(summary.files_kept, 1U);
  EXPECT_EQ(summary.files_restored, 2U);
  EXPECT_EQ(read(at("a")), "other");
  EXPECT_EQ(look(at("b")).st_ino, look(at("c")).st_ino);
  EXPECT_EQ(again().files_unchanged, 2U);
}

TEST_F(Restore, DeletesOnlyWhatTheSnapshotIsKnownToLack) {
  auto unreadable = test::directory("unreadable", {});
  auto damaged = test::directory("damaged", {});
  damaged.directory.bytes[0] = 1;
  for (const auto* name : {"damaged", "unreadable", "extra/below"}) fs::create_directories(at(name));
  write(at("damaged/x"), "x");
  write(at("unreadable/x"), "x");
  write(at("extra/below/x"), "x");
  write(at("spared.o"), "x");
  options_.delete_extra = true;
  options_.excludes = {"*.o"};
  const auto summary = restore(test::entries(std::move(damaged), std::move(unreadable)));
  EXPECT_EQ(summary.files_deleted, 3U);
  EXPECT_TRUE(summary.damaged);
  for (const auto* name : {"damaged/x", "unreadable/x", "spared.o"}) EXPECT_TRUE(fs::exists(at(name))) << name;
  EXPECT_FALSE(fs::exists(at("extra")));
}

TEST_F(Restore, GivesNoSetIdBitAwayWithAnotherOwner) {
  auto program = test::file("program", repository_.chunks({"right"}), 5);
  program.mode = 06755;
  options_.restore_owner = false;
  restore(test::entries(std::move(program)));
  EXPECT_EQ(look(at("program")).st_mode & 07777, 0755U);
}

TEST_F(Restore, RemovesAttributesThatTheEntryLacks) {
  fs::create_directories(target_);
  write(at("file"), "right");
  if (::setxattr(at("file").c_str(), "user.old", "1", 1, 0) != 0) GTEST_SKIP() << "no user attributes here";
  auto entry = test::file("file", repository_.chunks({"right"}), 5);
  entry.attributes = {{"user.new", {1, 2}}};
  EXPECT_EQ(restore(test::entries(std::move(entry))).files_unchanged, 1U);
  EXPECT_LT(::getxattr(at("file").c_str(), "user.old", nullptr, 0), 0);
  EXPECT_EQ(::getxattr(at("file").c_str(), "user.new", nullptr, 0), 2);
}

TEST_F(Restore, ADryRunWritesNothing) {
  options_.dry_run = true;
  EXPECT_EQ(restore(test::entries(test::file("file", repository_.chunks({"right"}), 5))).files_restored, 1U);
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(Restore, SaysWhatIsNotInTheSnapshot) {
  restore({});
  repo::StoredSnapshot stored;
  stored.snapshot.root = root_;
  options_.subpath = "/nowhere";
  const auto context = repository_.context();
  test::expect_error(Code::not_found, "not in the snapshot",
                     [&] { (void)ops::restore(context, repository_.index(), stored, options_, {}); });
}

}  // namespace
}  // namespace mbu::ops
