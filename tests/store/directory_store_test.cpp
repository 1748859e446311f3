// What only a repository in a directory has: names of files, and what others may do to them.
#include "store/directory_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../support/expect.hpp"
#include "../support/temporary_directory.hpp"
#include "os/file.hpp"

namespace mbu::store {
namespace {

namespace fs = std::filesystem;

class DirectoryStoreTest : public testing::Test {
 protected:
  void SetUp() override { store_.create(as_bytes("config"), {}); }

  std::size_t entries_in(const std::string& folder) const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_ + '/' + folder)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  test::TemporaryDirectory directory_;
  std::string root_ = directory_ / "repository";
  DirectoryStore store_{root_};
};

TEST_F(DirectoryStoreTest, PutsObjectsWhereTheFormatSays) {
  for (const auto& [folder, path] : std::vector<std::pair<Folder, std::string>>{{Folder::keys, "keys/"},
                                                                               {Folder::statements, "state/"},
                                                                               {Folder::packs, "data/ba/"},
                                                                               {Folder::indexes, "index/"},
                                                                               {Folder::snapshots, "snapshots/"},
                                                                               {Folder::locks, "locks/"}}) {
    const auto name = put(store_, folder, as_bytes("abc"));
    EXPECT_EQ(object_path(folder, name), path + name.hex());
    EXPECT_EQ(as_text(test::read_whole(root_ + '/' + path + name.hex())), "abc");
  }
}

TEST_F(DirectoryStoreTest, LetsNobodyElseIn) {
  const auto name = put(store_, Folder::packs, as_bytes("abc"));
  struct stat status {};
  ASSERT_EQ(::stat((root_ + '/' + object_path(Folder::packs, name)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  for (const auto* folder : {"", "/data", "/data/00", "/keys"}) {
    ASSERT_EQ(::stat((root_ + folder).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u);
  }
}

TEST_F(DirectoryStoreTest, IgnoresOtherNames) {
  for (const auto* name : {"README", ".DS_Store", ".mbu-tmp-0123456789abcdef", "abc"}) {
    test::write_whole(root_ + "/index/" + name, as_bytes("x"));
  }
  test::write_whole(root_ + "/index/" + std::string(64, 'A'), as_bytes("x"));
  test::write_whole(root_ + "/index/" + std::string(64, 'a') + ".conflict", as_bytes("x"));
  test::write_whole(root_ + "/data/00/" + std::string(64, '1'), as_bytes("x"));  // in the wrong shard
  EXPECT_TRUE(store_.list(Folder::indexes, true).empty());
  EXPECT_TRUE(store_.list(Folder::packs, true).empty());
}

TEST_F(DirectoryStoreTest, TakesWhatIsNoFileForADamagedObject) {
  const auto name = put(store_, Folder::packs, as_bytes("abc"));
  const auto path = root_ + '/' + object_path(Folder::packs, name);
  const std::vector<std::function<void()>> makers{[&] { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
                                                  [&] { fs::create_directory(path); },
                                                  [&] { fs::create_symlink(path, path); }};
  for (const auto& make : makers) {
    fs::remove_all(path);
    make();
    std::uint8_t byte = 0;
    test::expect_error(Code::corrupt, "", [&] { (void)store_.size(Folder::packs, name); });
    test::expect_error(Code::corrupt, "", [&] { (void)store_.read(Folder::packs, name); });
    test::expect_error(Code::corrupt, "", [&] { store_.read_at(Folder::packs, name, 0, {&byte, 1}); });
  }
}

TEST_F(DirectoryStoreTest, ListsNothingWhereAFolderIsMissing) {
  fs::remove_all(root_ + "/locks");
  fs::remove_all(root_ + "/data/00");
  EXPECT_TRUE(store_.list(Folder::locks, true).empty());
  EXPECT_TRUE(store_.list(Folder::packs, true).empty());
  EXPECT_EQ(store_.clean(), 0u);
}

TEST_F(DirectoryStoreTest, RefusesASecondConfig) {
  for (const auto* name : {"config (conflicted copy)", "config.orig", "config~", "config.sync-conflict-20260101"}) {
    test::write_whole(root_ + '/' + name, as_bytes("config"));
    test::expect_error(Code::corrupt, "second config", [&] { (void)store_.read_config(); });
    fs::remove(root_ + '/' + name);
  }
  EXPECT_TRUE(store_.read_config());
}

TEST_F(DirectoryStoreTest, KnowsASecondConfigFromOtherFilesThatLieThere) {
  for (const auto* name : {"config.toml", "config.toml~", "configuration.yml", "configs"}) {
    test::write_whole(root_ + '/' + name, as_bytes("[packer]"));
  }
  EXPECT_TRUE(store_.read_config());
}

TEST_F(DirectoryStoreTest, CleansWhatBrokenWritersLeft) {
  test::write_whole(root_ + "/data/.mbu-tmp-dead", as_bytes("x"));
  test::write_whole(root_ + "/keys/.mbu-tmp-dead", as_bytes("x"));
  test::write_whole(root_ + "/config.mbu-tmp-other", as_bytes("x"));  // not called so: nobody's business here
  const auto kept = put(store_, Folder::keys, as_bytes("kept"));
  EXPECT_EQ(store_.clean(), 2u);
  EXPECT_EQ(entries_in("data"), 0u);
  EXPECT_EQ(entries_in("keys"), 1u);
  EXPECT_EQ(store_.list(Folder::keys, false).at(0).name, kept);
}

TEST_F(DirectoryStoreTest, LeavesALockedFileToItsWriter) {
  const std::string path = root_ + "/data/.mbu-tmp-living";
  test::write_whole(path, as_bytes("x"));
  {
    const os::Fd fd(::open(path.c_str(), O_RDONLY));
    ASSERT_EQ(::flock(fd.get(), LOCK_SH), 0);
    EXPECT_EQ(store_.clean(), 0u);
  }
  EXPECT_EQ(store_.clean(), 1u);
}

TEST_F(DirectoryStoreTest, IsMadeOverWhatABrokenInitLeft) {
  const auto location = directory_ / "broken";
  DirectoryStore broken(location);
  broken.create(as_bytes("config"), {{Folder::keys, ByteBuffer(3)}, {Folder::statements, ByteBuffer(4)}});
  fs::remove(location + "/config");
  broken.create(as_bytes("other"), {{Folder::keys, ByteBuffer(5)}});
  EXPECT_EQ(as_text(broken.read_config().value()), "other");
  EXPECT_EQ(broken.list(Folder::keys, true).at(0).size, 5u);
  EXPECT_TRUE(broken.list(Folder::statements, true).empty());
}

TEST_F(DirectoryStoreTest, IsNotMadeOverObjectsWithoutAConfig) {
  for (const auto folder : {Folder::packs, Folder::indexes, Folder::snapshots, Folder::locks}) {
    const auto location = directory_ / ("lost-" + folder_name(folder));
    DirectoryStore lost(location);
    lost.create(as_bytes("config"), {});
    put(lost, folder, as_bytes("object"));
    fs::remove(location + "/config");
    test::expect_error(Code::failed, "no config", [&] { lost.create(as_bytes("other"), {}); });
    EXPECT_EQ(lost.list(folder, false).size(), 1u);
  }
}

TEST_F(DirectoryStoreTest, BlamesTheStoreForWhatTheSystemSays) {
  DirectoryStore file(directory_ / "file");
  test::write_whole(directory_ / "file", as_bytes("x"));
  const auto error = test::error_of([&] { file.create(as_bytes("config"), {}); });
  EXPECT_EQ(error.code(), Code::store);
  EXPECT_EQ(error.system_errno(), ENOTDIR);
  test::expect_error(Code::store, "list", [&] { (void)file.list(Folder::packs, false); });
}

TEST_F(DirectoryStoreTest, TakesAnySpellingOfItsPlace) {
  EXPECT_TRUE(DirectoryStore(root_ + "///").read_config());
  EXPECT_EQ(DirectoryStore(root_ + "/").location(), root_);
  EXPECT_EQ(DirectoryStore("/").location(), "/");
}

}  // namespace
}  // namespace mbu::store
