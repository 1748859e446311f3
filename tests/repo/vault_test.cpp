#include "repo/vault.hpp"

#include "support.hpp"

namespace mbu::repo {
namespace {

class VaultTest : public test::RepositoryTest {
 protected:
  ObjectName state(const format::Statement& statement) {
    return store::put(store(), store::Folder::statements,
                      seal_object(keyring(), format::ObjectKind::statement, keyring().owner_signer(),
                                  format::encode_statement(statement)));
  }
  // A statement that follows those that are known.
  format::Statement next(std::uint64_t number = 2) const {
    format::Statement statement;
    statement.number = number;
    statement.previous = vault_->constitution().heads;
    return statement;
  }
  // Whether that writer may sign a pack of a name that no statement mentions.
  bool admits(const Vault& vault, const PublicKey& writer, const DomainId& domain) {
    return vault.is_admitted(writer, domain, store::Folder::packs, random_.id<ObjectName>());
  }
  bool finds(const std::string& object, const std::string& message) const {
    for (const auto& finding : vault_->constitution().damage) {
      if (finding.object == object && finding.message.find(message) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(VaultTest, OpensWithThePasswordOnly) {
  EXPECT_EQ(open()->config(), vault_->config());
  test::expect_error(Code::wrong_password, "wrong password", [&] { (void)open("wrong"); });
  EXPECT_TRUE(vault_->constitution().damage.empty());
  EXPECT_EQ(vault_->constitution().slots.size(), 1u);
  EXPECT_TRUE(admits(*vault_, keyring().writer_signer().public_key(), keys::main_domain()));
  EXPECT_FALSE(admits(*vault_, keyring().writer_signer().public_key(), DomainId{}));
  EXPECT_FALSE(admits(*vault_, keyring().owner_signer().public_key(), keys::main_domain()));
}

TEST_F(VaultTest, AsksForNoPasswordWhenThereIsNothingToOpen) {
  const auto unasked = []() -> Password {
    ADD_FAILURE() << "was asked";
    return test::password_of("");
  };
  test::expect_error(Code::no_repository, "no repository",
                     [&] { (void)Vault::open(store::open_store(directory_ / "none"), {.obtain = unasked}); });
  for (const auto& listed : store().list(store::Folder::keys, false)) store().remove(store::Folder::keys, listed.name);
  test::expect_error(Code::corrupt, "no slot", [&] { (void)Vault::open(store::open_store(root_), {.obtain = unasked}); });
}

TEST_F(VaultTest, NoticesADamagedConfig) {
  const auto good = test::read_whole(root_ + "/config");
  for (const std::size_t at : {0u, 13u, 20u, 60u, 100u}) {
    auto bytes = good;
    bytes[at] ^= 1;
    test::write_whole(root_ + "/config", bytes);
    EXPECT_EQ(test::error_of([&] { (void)open(); }).code(), Code::corrupt) << at;
  }
}

TEST_F(VaultTest, NamesADamagedSlot) {
  const auto name = store().list(store::Folder::keys, false).at(0).name;
  auto bytes = store().read(store::Folder::keys, name);
  bytes.back() ^= 1;
  test::write_whole(file_of(store::Folder::keys, name), bytes);
  const auto error = test::error_of([&] { (void)open(); });
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_EQ(error.subject(), store::object_path(store::Folder::keys, name));
}

TEST_F(VaultTest, OpensByAnySlotThoughAnotherIsDamaged) {
  store::put(store(), store::Folder::keys, as_bytes("no slot at all"));
  EXPECT_NO_THROW((void)open());
}

TEST_F(VaultTest, UnitesWhatStatementsSay) {
  const PublicKey a = random_.id<PublicKey>(), b = random_.id<PublicKey>();
  auto one = next(), two = next();
  one.admitted = {{a, "a", keys::main_domain()}, {b, "b", keys::main_domain()}};
  one.chunker = format::ChunkerParameters{64, 128, 256};
  two.removed = {{b, {}, {}}};  // beside the admission, not behind it: the removal wins
  two.time_ns = 5;
  const auto first = state(one), second = state(two);
  vault_ = open();
  const auto& constitution = vault_->constitution();
  EXPECT_TRUE(constitution.damage.empty());
  EXPECT_TRUE(admits(*vault_, a, keys::main_domain()));
  EXPECT_FALSE(admits(*vault_, b, keys::main_domain()));
  EXPECT_EQ(std::set(constitution.heads.begin(), constitution.heads.end()), (std::set{first, second}));
  EXPECT_EQ(constitution.chunker.minimum, 64u);
}

TEST_F(VaultTest, TheOwnersWriterCanBeRemovedToo) {
  auto statement = next();
  statement.removed = {{keyring().writer_signer().public_key(), {}, {}}};
  state(statement);
  vault_ = open();
  EXPECT_FALSE(admits(*vault_, keyring().writer_signer().public_key(), keys::main_domain()));
  test::expect_error(Code::forbidden, "removed", [&] { vault_->require_writable(); });
}

TEST_F(VaultTest, AcceptsOfARemovedWriterWhatHisRemovalsName) {
  const auto writer = keyring().writer_signer().public_key();
  const auto snapshot = random_.id<ObjectName>(), pack = random_.id<ObjectName>(), other = random_.id<ObjectName>();
  auto one = next(), two = next();
  one.removed = {{writer, {snapshot}, {pack}}};
  two.removed = {{writer, {}, {other}}};
  state(one);
  state(two);
  vault_ = open();
  const auto accepts = [&](store::Folder folder, const ObjectName& name) {
    return vault_->is_admitted(writer, keys::main_domain(), folder, name);
  };
  EXPECT_TRUE(accepts(store::Folder::snapshots, snapshot));
  EXPECT_TRUE(accepts(store::Folder::packs, pack));
  EXPECT_TRUE(accepts(store::Folder::packs, other));
  EXPECT_FALSE(accepts(store::Folder::packs, snapshot));
  EXPECT_FALSE(accepts(store::Folder::snapshots, pack));
  EXPECT_FALSE(accepts(store::Folder::indexes, pack));
}

TEST_F(VaultTest, TakesTheChunkerOfTheLargestNumberThenTheLargerHash) {
  auto second = next(2), third = next(3), other = next(3);
  second.chunker = format::ChunkerParameters{64, 64, 64};
  third.chunker = format::ChunkerParameters{65, 65, 65};
  other.chunker = format::ChunkerParameters{66, 66, 66};
  state(second);
  const auto a = state(third), b = state(other);
  EXPECT_EQ(open()->constitution().chunker.minimum, a > b ? 65u : 66u);
}

TEST_F(VaultTest, TellsOfAStatementThatIsMissing) {
  const auto first = vault_->constitution().heads.at(0);
  state(next());
  store().remove(store::Folder::statements, first);
  vault_ = open();
  EXPECT_TRUE(finds(store::object_path(store::Folder::statements, first), "missing"));
}

TEST_F(VaultTest, TellsOfASlotThatIsMissingUnlessItWasRemoved) {
  const auto slot = random_.id<ObjectName>();
  auto statement = next();
  statement.slots_added = {slot};
  state(statement);
  vault_ = open();
  EXPECT_TRUE(finds(store::object_path(store::Folder::keys, slot), "missing"));
  auto removal = next(3);
  removal.slots_removed = {slot};
  state(removal);
  vault_ = open();
  EXPECT_FALSE(finds(store::object_path(store::Folder::keys, slot), "missing"));
}

TEST_F(VaultTest, BelievesTheOwnerOnly) {
  const auto name = store::put(store(), store::Folder::statements,
                               seal_object(keyring(), format::ObjectKind::statement, keyring().writer_signer(),
                                           format::encode_statement(next())));
  vault_ = open();
  EXPECT_TRUE(finds(store::object_path(store::Folder::statements, name), "signed by the owner"));
}

TEST_F(VaultTest, StopsAtAFeatureThatItDoesNotKnow) {
  auto ignorable = next();
  ignorable.features = {{"later", format::Feature::Required::ignorable}};
  state(ignorable);
  EXPECT_NO_THROW(open()->require_writable());
  auto writing = next();
  writing.features = {{"later", format::Feature::Required::to_write}};
  state(writing);
  test::expect_error(Code::failed, "\"later\"", [&] { open()->require_writable(); });
  auto required = next();
  required.features = {{"later", format::Feature::Required::to_read}};
  state(required);
  test::expect_error(Code::failed, "\"later\"", [&] { (void)open(); });
}

TEST_F(VaultTest, IsMadeOnce) {
  test::expect_error(Code::failed, "already", [&] {
    (void)Vault::create(store::open_store(root_), test::password_of("x"), test::cheap_init(), "me");
  });
  EXPECT_NO_THROW((void)open());
}

}  // namespace
}  // namespace mbu::repo
