#include "cache/state.hpp"

#include <filesystem>
#include <fstream>

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"

namespace mbu::cache {
namespace {

class StateTest : public testing::Test {
 protected:
  State open() const { return State(where_, repository_); }
  static bool always(const ObjectName&) { return true; }
  static bool never(const ObjectName&) { return false; }

  test::TemporaryDirectory directory_;
  std::string where_ = directory_ / "state";
  test::Random random_{1};
  RepositoryId repository_ = random_.id<RepositoryId>();
  State::Link first_{1, random_.id<ObjectName>()};
  State::Link second_{2, random_.id<ObjectName>()};
};

TEST_F(StateTest, IsOneInstanceForOneMachineAndRepository) {
  const auto instance = open().instance();
  EXPECT_EQ(open().instance(), instance);
  EXPECT_NE(State(where_, random_.id<RepositoryId>()).instance(), instance);
  EXPECT_NE(State("", repository_).instance(), State("", repository_).instance());
}

TEST_F(StateTest, ChainsWhatWasPublished) {
  {
    auto publication = open().publish(always);
    EXPECT_FALSE(publication.previous());
    publication.announce(first_);
    publication.confirm(first_);
  }
  const auto publication = open().publish(never);
  ASSERT_TRUE(publication.previous());
  EXPECT_EQ(publication.previous()->number, 1u);
  EXPECT_EQ(publication.previous()->name, first_.name);
}

// A run that is killed between announcing and confirming: whether the object exists decides what comes next.
TEST_F(StateTest, AsksTheStoreAboutWhatWasOnlyAnnounced) {
  {
    auto publication = open().publish(always);
    publication.announce(first_);
    publication.confirm(first_);
    publication.announce(first_);
  }
  {
    auto publication = open().publish(always);
    publication.announce(second_);
  }
  EXPECT_EQ(open().publish(never).previous()->number, 1u);
  const auto exists = [&](const ObjectName& name) { return name == second_.name; };
  EXPECT_EQ(open().publish(exists).previous()->number, 2u);
}

TEST_F(StateTest, ForgetsAnAnnouncementThatNeverCame) {
  { open().publish(always).announce(first_); }
  EXPECT_FALSE(open().publish(never).previous());
}

TEST_F(StateTest, RemembersWhatWasSeen) {
  EXPECT_TRUE(open().seen().empty());
  const auto snapshot = "snapshots/" + random_.id<ObjectName>().hex();
  const auto key = "keys/" + random_.id<ObjectName>().hex();
  open().remember({snapshot, key});
  open().remember({snapshot});
  EXPECT_EQ(open().seen(), (std::set<std::string>{snapshot, key}));
  EXPECT_EQ(State::seen_in(where_, repository_), open().seen());
  EXPECT_TRUE(State::seen_in(where_, random_.id<RepositoryId>()).empty());
  EXPECT_TRUE(State::seen_in("", repository_).empty());
}

// By a full disk or a power cut: nobody is to look for an object that never was.
TEST_F(StateTest, PassesOverATornLine) {
  const auto first = "snapshots/" + random_.id<ObjectName>().hex();
  const auto second = "data/ab/" + random_.id<ObjectName>().hex();
  open().remember({first});
  for (const auto& file : std::filesystem::directory_iterator(where_ + '/' + repository_.hex())) {
    if (!file.path().filename().string().starts_with("seen-at-")) continue;
    std::ofstream(file.path(), std::ios::app) << second.substr(0, 20);
  }
  open().remember({second});
  EXPECT_EQ(open().seen_here(), (std::set<std::string>{first, second}));
  EXPECT_EQ(open().seen(), open().seen_here());
}

TEST_F(StateTest, RemembersWhichRepositoryWasWhere) {
  const auto other = random_.id<RepositoryId>();
  EXPECT_FALSE(State::remembered_at(where_, "/a"));
  State::remember_location(where_, "/a", repository_);
  State::remember_location(where_, "/with\nline\\and more", other);
  EXPECT_EQ(State::remembered_at(where_, "/a"), repository_);
  EXPECT_EQ(State::remembered_at(where_, "/with\nline\\and more"), other);
  State::remember_location(where_, "/a", other);
  EXPECT_EQ(State::remembered_at(where_, "/a"), other);
}

TEST_F(StateTest, IsNothingWhereItCannotBeKept) {
  test::write_whole(where_, as_bytes("a file"));
  auto state = open();
  state.remember({"keys/ab"});
  EXPECT_TRUE(state.seen().empty());
  auto publication = state.publish(always);
  publication.announce(first_);
  publication.confirm(first_);
  EXPECT_FALSE(state.publish(always).previous());
  State::remember_location(where_, "/a", repository_);
  EXPECT_FALSE(State::remembered_at(where_, "/a"));
}

TEST_F(StateTest, SurvivesGarbage) {
  const auto instance = open().instance();
  const auto folder = where_ + '/' + repository_.hex();
  for (const auto& name : {std::string("/seen"), "/chain-" + instance.hex(), std::string("/instance")}) {
    test::write_whole(folder + name, random_.bytes(10'000));
  }
  auto state = open();
  (void)state.seen();
  EXPECT_FALSE(state.publish(never).previous());
  EXPECT_EQ(open().instance(), state.instance());
}

}  // namespace
}  // namespace mbu::cache
