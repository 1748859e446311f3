#include "repo/snapshots.hpp"

#include "repo/snapshot_query.hpp"
#include "support.hpp"

namespace mbu::repo {
namespace {

ObjectName name_of(std::uint8_t first, std::uint8_t second = 0) {
  ObjectName name;
  name.bytes[0] = first;
  name.bytes[1] = second;
  return name;
}

format::Snapshot snapshot_at(std::int64_t seconds) {
  format::Snapshot snapshot;
  snapshot.time.seconds = seconds;
  snapshot.root.bytes.fill(1);
  snapshot.paths = {"/home"};
  return snapshot;
}

class Snapshots : public test::RepositoryTest {
 protected:
  ObjectName publish(const format::Snapshot& snapshot) {
    const auto sealed = seal_snapshot(*vault_, snapshot);
    EXPECT_EQ(store::put(store(), store::Folder::snapshots, sealed.bytes), sealed.name);
    return sealed.name;
  }
  std::vector<StoredSnapshot> read_all() {
    damage_.clear();
    return read_snapshots(*vault_, Which::all, [this](const CheckReport::Finding& finding) { damage_.push_back(finding); });
  }
};

TEST_F(Snapshots, ComeOldestFirst) {
  for (const auto time : {300, 100, 200}) publish(snapshot_at(time));
  const auto all = read_all();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].snapshot.time.seconds, 100);
  EXPECT_EQ(all[2].snapshot.time.seconds, 300);
  EXPECT_EQ(all[0].writer, keyring().writer_signer().public_key());
}

TEST_F(Snapshots, ThatAreDamagedAreNamedAndLeftOut) {
  const auto good = publish(snapshot_at(1)), bad = publish(snapshot_at(2));
  auto bytes = store().read(store::Folder::snapshots, bad);
  bytes.back() ^= 1;
  test::write_whole(file_of(store::Folder::snapshots, bad), bytes);
  const auto all = read_all();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, good);
  ASSERT_EQ(damage_.size(), 1u);
  EXPECT_EQ(damage_[0].object, store::object_path(store::Folder::snapshots, bad));
  test::expect_error(Code::corrupt, "hash", [&] { (void)read_snapshot(*vault_, bad); });
  test::expect_error(Code::not_found, "missing", [&] { (void)read_snapshot(*vault_, name_of(1)); });
}

TEST_F(Snapshots, OfAStrangerAreRefused) {
  const crypto::SigningKey stranger(crypto::random_key());
  const auto bytes = seal_object(keyring(), format::ObjectKind::snapshot, stranger, format::encode_snapshot(snapshot_at(1)));
  const auto name = store::put(store(), store::Folder::snapshots, bytes);
  test::expect_error(Code::corrupt, "never admitted", [&] { (void)read_snapshot(*vault_, name); });
}

StoredSnapshot stored(ObjectName name, std::optional<ObjectName> base, std::vector<ObjectName> added,
                      std::vector<ObjectName> removed) {
  StoredSnapshot result{name, {}, {}, snapshot_at(name.bytes[0])};
  result.snapshot.base = base;
  result.snapshot.packs_added = std::move(added);
  result.snapshot.packs_removed = std::move(removed);
  return result;
}

TEST(PacksOf, FollowsTheBases) {
  const auto p = [](std::uint8_t i) { return name_of(100, i); };
  const std::vector all{stored(name_of(1), {}, {p(1), p(2)}, {}), stored(name_of(2), name_of(1), {p(3)}, {p(1)}),
                        stored(name_of(3), name_of(2), {p(1)}, {p(3)})};
  EXPECT_EQ(packs_of(all, all[0]), (std::set{p(1), p(2)}));
  EXPECT_EQ(packs_of(all, all[1]), (std::set{p(2), p(3)}));
  EXPECT_EQ(packs_of(all, all[2]), (std::set{p(1), p(2)}));
}

TEST(PacksOf, IsNotKnownWithoutABase) {
  const std::vector all{stored(name_of(2), name_of(1), {}, {})};
  EXPECT_FALSE(packs_of(all, all[0]));
}

// No hash chain has a circle, but nothing else keeps a list from having one.
TEST(PacksOf, EndsInACircle) {
  const std::vector all{stored(name_of(1), name_of(2), {}, {}), stored(name_of(2), name_of(1), {}, {})};
  EXPECT_FALSE(packs_of(all, all[0]));
}

class SnapshotQuery : public testing::Test {
 protected:
  SnapshotQuery() {
    for (std::uint8_t i = 1; i <= 4; ++i) {
      StoredSnapshot snapshot{name_of(0xa0, i), {}, {}, snapshot_at(i)};
      snapshot.snapshot.host = i % 2 == 0 ? "even" : "odd";
      snapshot.snapshot.tags = i == 4 ? std::vector<std::string>{"x", "y"} : std::vector<std::string>{"x"};
      if (i == 3) snapshot.snapshot.paths = {"/home", "/srv"};
      all_.push_back(snapshot);
    }
  }
  std::uint8_t find(const std::string& text, const SnapshotFilter& filter = {}) const {
    return find_snapshot(all_, text, filter).name.bytes[1];
  }
  std::vector<StoredSnapshot> all_;
};

TEST_F(SnapshotQuery, CountsBackFromTheLatest) {
  EXPECT_EQ(find("latest"), 4);
  EXPECT_EQ(find("latest~0"), 4);
  EXPECT_EQ(find("latest~3"), 1);
  test::expect_error(Code::not_found, "no such", [&] { find("latest~4"); });
  for (const auto* text : {"latest~", "latest~x", "latest~-1", "latest~1x", "latest~99999999999999999999", "Latest"}) {
    test::expect_error(Code::not_found, "no such", [&] { find(text); });
  }
}

TEST_F(SnapshotQuery, CountsOnlyWhatPassesTheFilter) {
  EXPECT_EQ(find("latest", {{"odd"}, {}, {}}), 3);
  EXPECT_EQ(find("latest~1", {{"odd"}, {}, {}}), 1);
  using Tags = std::vector<std::vector<std::string>>;
  EXPECT_EQ(find("latest", {{}, Tags{{"z"}, {"y"}}, {}}), 4);
  EXPECT_EQ(find("latest", {{}, Tags{{"x", "y"}}, {}}), 4);
  test::expect_error(Code::not_found, "no such", [&] { find("latest", {{}, Tags{{"x", "z"}, {""}}, {}}); });
  EXPECT_EQ(find("latest", {{}, {}, {"/srv", "/home"}}), 3);
  EXPECT_EQ(find("latest~2", {{"even", "odd"}, Tags{{"x"}}, {"/home"}}), 2);
  test::expect_error(Code::not_found, "no such", [&] { find("latest", {{"nowhere"}, {}, {}}); });
}

TEST_F(SnapshotQuery, TakesAPrefixThatFitsOne) {
  EXPECT_EQ(find("a002"), 2);
  EXPECT_EQ(find(name_of(0xa0, 3).hex()), 3);
  test::expect_error(Code::usage, "several", [&] { find("a0"); });
  test::expect_error(Code::usage, "several", [&] { find("a"); });
  test::expect_error(Code::not_found, "no such", [&] { find("b"); });
  test::expect_error(Code::not_found, "no such", [&] { find(""); });
  test::expect_error(Code::not_found, "no such", [&] { find(name_of(0xa0, 3).hex() + "0"); });
}

TEST_F(SnapshotQuery, SaysThatThereIsNone) {
  test::expect_error(Code::not_found, "no snapshot yet", [] { (void)find_snapshot({}, "latest", {}); });
}

}  // namespace
}  // namespace mbu::repo
