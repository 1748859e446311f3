#include "api/cat.hpp"

#include "repo/index_object.hpp"

#include <nlohmann/json.hpp>

#include "../ops_browse/small_repository.hpp"
#include "../support/expect.hpp"
#include "api/decoded_json.hpp"
#include "repo/snapshots.hpp"

namespace mbu {
namespace {

using namespace test;
using nlohmann::json;

json shown(SmallRepository& repository, const std::string& kind, const std::string& id) {
  const auto load_index = [&](const DomainId&) { return repo::ChunkIndex::load(repository.vault(), [](const auto&) {}); };
  return json::parse(api::cat_object(repository.vault(), load_index, kind, id));
}

ObjectName publish(SmallRepository& repository, std::uint64_t number, const ChunkId& root) {
  format::Snapshot snapshot;
  snapshot.number = number;
  if (number > 1) snapshot.previous = ObjectName{{1}};
  snapshot.time = {1'700'000'000 + static_cast<std::int64_t>(number), 5};
  snapshot.host = "host\xff";
  snapshot.paths = {"/home/me", "/home/\xff"};
  snapshot.root = root;
  const auto sealed = repo::seal_snapshot(repository.vault(), snapshot);
  return store::put(repository.vault().store(), store::Folder::snapshots, sealed.bytes);
}

TEST(Cat, ShowsTheConfig) {
  SmallRepository repository;
  const auto config = shown(repository, "config", "");
  EXPECT_EQ(config.at("id"), repository.vault().config().repository.hex());
  EXPECT_EQ(config.at("owner"), repository.vault().config().owner.hex());
}

TEST(Cat, ShowsASlotWithoutItsSecrets) {
  SmallRepository repository;
  const auto name = repository.vault().store().list(store::Folder::keys, false).at(0).name.hex();
  const auto slot = shown(repository, "slot", name.substr(0, 6));
  EXPECT_EQ(slot.at("id"), name);
  EXPECT_EQ(slot.at("name"), "test");
  EXPECT_EQ(slot.at("role"), "owner");
  EXPECT_EQ(slot.at("kdf"), (json{{"name", "argon2id"}, {"memory_kib", 8192}, {"passes", 3}, {"lanes", 1}}));
  EXPECT_FALSE(slot.contains("wrapped"));
}

TEST(Cat, ShowsAStatement) {
  SmallRepository repository;
  const auto name = repository.vault().store().list(store::Folder::statements, false).at(0).name.hex();
  const auto statement = shown(repository, "statement", name);
  EXPECT_EQ(statement.at("number"), 1);
  EXPECT_EQ(statement.at("admitted").at(0).at("name"), "test");
  EXPECT_EQ(statement.at("features").at(0).at("required"), "to read");
}

TEST(Cat, ShowsPacksAndIndexes) {
  SmallRepository repository;
  const auto content = repository.chunks({"some data"});
  (void)repository.page(entries(file("a", content, 9)));
  repository.finish();
  bool found = false;
  std::string pack_text;
  for (const auto& listed : repository.vault().store().list(store::Folder::packs, false)) {
    const auto pack = shown(repository, "pack", listed.name.hex());
    EXPECT_EQ(pack.at("id"), listed.name.hex());
    found = found || pack.dump().find(content.chunks[0].id.hex()) != std::string::npos;
  }
  EXPECT_TRUE(found);
  const auto index = repo::write_index(repository.vault(), {indexed(repo::read_toc(repository.vault(), repository.index().pack(0)->name))});
  EXPECT_EQ(shown(repository, "index", index.hex()).at("packs").at(0).at("id"), repository.index().pack(0)->name.hex());
}

TEST(Cat, ShowsSnapshotsAndTheirTrees) {
  SmallRepository repository;
  const auto inner = repository.page(entries(entry("f", EntryType::fifo)));
  const auto root = repository.page(entries(directory("d", inner), sparse("s", repository.chunks({"x"}), 10, {{4, 1}})));
  const auto other = repository.page(entries(entry("other", EntryType::fifo)));
  repository.finish();
  const auto old = publish(repository, 1, other);
  const auto name = publish(repository, 2, root);
  const auto snapshot = shown(repository, "snapshot", name.hex());
  EXPECT_EQ(snapshot.at("time"), "2023-11-14T22:13:22.000000005Z");
  EXPECT_EQ(snapshot.at("hostname"), "host\xef\xbf\xbd");
  EXPECT_EQ(snapshot.at("hostname_b64"), "aG9zdP8=");
  EXPECT_EQ(snapshot.at("paths_b64").size(), 2U);
  EXPECT_EQ(shown(repository, "snapshot", "latest").at("id"), name.hex());
  EXPECT_EQ(shown(repository, "snapshot", "latest~1").at("id"), old.hex());

  const auto tree = shown(repository, "tree", "latest");
  EXPECT_EQ(tree, shown(repository, "tree", root.hex()));
  EXPECT_EQ(tree, shown(repository, "tree", name.hex()));
  EXPECT_EQ(tree.at("nodes").at(0).at("subtree"), inner.hex());
  EXPECT_EQ(tree.at("nodes").at(1).at("sparse").at("runs"), (json::array({json{{"offset", 4}, {"length", 1}}})));
  EXPECT_EQ(shown(repository, "tree", "latest:/d").at("nodes").at(0).at("name"), "f");
}

TEST(Cat, SaysWhichIdItWants) {
  SmallRepository repository;
  repository.finish();
  expect_error(Code::usage, "wants an id", [&] { (void)shown(repository, "pack", ""); });
  expect_error(Code::usage, "no such kind", [&] { (void)shown(repository, "blob", "00"); });
  expect_error(Code::not_found, "no such slot", [&] { (void)shown(repository, "slot", "zz"); });
  expect_error(Code::not_found, "no snapshot yet", [&] { (void)shown(repository, "tree", "latest"); });
}

TEST(Cat, RefusesAPrefixOfSeveral) {
  SmallRepository repository;
  const auto root = repository.page(entries());
  repository.finish();
  // Of 17 names two begin with the same digit.
  std::set<char> first;
  std::string twice;
  for (std::uint64_t number = 1; number <= 17; ++number) {
    const char digit = publish(repository, number, root).hex()[0];
    if (!first.insert(digit).second) twice = digit;
  }
  expect_error(Code::usage, "several", [&] { (void)shown(repository, "snapshot", twice); });
}

TEST(Cat, WritesMomentsFarFromHere) {
  EXPECT_EQ(api::rfc3339({-1, 999'999'999}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(api::rfc3339({253'402'300'799, 0}), "9999-12-31T23:59:59.000000000Z");
  EXPECT_EQ(api::rfc3339({253'402'300'800, 1}), "@253402300800.000000001");
}

}  // namespace
}  // namespace mbu
