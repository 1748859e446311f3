#include "keys/keyring.hpp"

#include "../support/document_vectors.hpp"

namespace mbu::keys {
namespace {

class KeyringVectors : public testing::Test {
 protected:
  test::DocumentVectors document_;
  crypto::Key root_ = crypto::key_from(document_.bytes("R"));
  RepositoryId repository_ = document_.id<RepositoryId>("repo");
  Keyring keyring_{root_, repository_};
};

TEST_F(KeyringVectors, OfTheOwnerAndHisWriter) {
  EXPECT_EQ(keyring_.repository(), repository_);
  EXPECT_EQ(keyring_.owner_signer().public_key().hex(), document_.text("owner's public key"));
  EXPECT_EQ(keyring_.writer_signer().public_key().hex(), document_.text("writer's public key"));
  EXPECT_EQ(to_hex(crypto::view(keyring_.common())), document_.text("C"));
}

TEST_F(KeyringVectors, OfTheSealingKey) {
  EXPECT_EQ(keyring_.sealing_public().hex(), document_.text("sealing public key"));
  const auto header = document_.bytes("header");
  const auto key = keyring_.open_sealed(1, ByteView(header).subspan(128), "it");
  EXPECT_EQ(to_hex(crypto::view(key)), document_.text("K"));
  test::expect_error(Code::corrupt, "does not open", [&] {
    (void)keyring_.open_sealed(0, ByteView(header).subspan(128), "it");
  });
}

TEST_F(KeyringVectors, OfADomainsGeneration) {
  const auto secret = crypto::key_from(document_.bytes("D"));
  const auto keys = DomainKeys::derive_from(main_domain(), 1, secret, keyring_.common());
  EXPECT_EQ(to_hex(crypto::view(keys.data_id)), document_.text("data id key"));
  EXPECT_EQ(to_hex(crypto::view(keys.list_id)), document_.text("list id key"));
  EXPECT_EQ(to_hex(crypto::view(keys.page_id)), document_.text("page id key"));
  EXPECT_EQ(to_hex(crypto::view(keys.index)), document_.text("index key"));
  EXPECT_EQ(to_hex(keys.page_cut), document_.text("page cut key"));
  EXPECT_EQ(to_hex(keys.link), document_.text("link key"));
  ByteBuffer gear;
  for (int i = 0; i < 4; ++i) append(gear, keys.gear.values[static_cast<std::size_t>(i)]);
  EXPECT_EQ(to_hex(gear), document_.text("gear table, first four"));
  EXPECT_EQ(to_hex(crypto::view(keyring_.index_key(main_domain(), 1))), document_.text("index key"));
}

TEST_F(KeyringVectors, OfChunkIds) {
  const auto keys = DomainKeys::derive_from(main_domain(), 1, crypto::key_from(document_.bytes("D")), keyring_.common());
  EXPECT_EQ(to_hex(crypto::keyed_hash(keys.data_id, as_bytes("hello"))), document_.text("data id of `hello`"));
  EXPECT_EQ(to_hex(crypto::keyed_hash(keys.list_id, document_.bytes("list"))), document_.text("list id of the list"));
  EXPECT_EQ(to_hex(crypto::keyed_hash(keys.page_id, as_bytes("hello"))), document_.text("page id of `hello`"));
}

TEST_F(KeyringVectors, DifferByRepositoryRootDomainAndGeneration) {
  const auto hex = [](const crypto::Key& key) { return to_hex(crypto::view(key)); };
  const Keyring other_repository(root_, RepositoryId{});
  const Keyring other_root(crypto::random_key(), repository_);
  DomainId other_domain;
  other_domain.bytes[0] = 1;
  const auto own = hex(keyring_.index_key(main_domain(), 1));
  EXPECT_EQ(own, hex(keyring_.own_domain().index));
  EXPECT_NE(own, hex(keyring_.index_key(main_domain(), 2)));
  EXPECT_NE(own, hex(keyring_.index_key(other_domain, 1)));
  EXPECT_NE(own, hex(other_repository.index_key(main_domain(), 1)));
  EXPECT_NE(own, hex(other_root.index_key(main_domain(), 1)));
  EXPECT_NE(hex(keyring_.cache_key()), hex(other_repository.cache_key()));
  Keyring later(root_, repository_);
  later.set_current_generation(2);
  EXPECT_NE(keyring_.sealing_public(), later.sealing_public());
}

TEST_F(KeyringVectors, KeepAWritersHalf) {
  Keyring keyring(root_, repository_);
  DomainId other_domain;
  other_domain.bytes[0] = 1;
  const auto key = crypto::random_key();
  const auto sealed = crypto::seal_key(keyring.sealing_public(), key);
  EXPECT_EQ(to_hex(crypto::view(keyring.open_sealed(1, sealed, "it"))), to_hex(crypto::view(key)));
  static_cast<void>(keyring.domain_keys(other_domain, 1));
  EXPECT_TRUE(keyring.is_owner());
  keyring.drop_owner();
  EXPECT_FALSE(keyring.is_owner());
  test::expect_error(Code::forbidden, "owner", [&] { static_cast<void>(keyring.open_sealed(1, sealed, "it")); });
  test::expect_error(Code::forbidden, "owner", [&] { static_cast<void>(keyring.owner_signer()); });
  test::expect_error(Code::forbidden, "owner", [&] { static_cast<void>(keyring.domain_keys(other_domain, 1)); });
  test::expect_error(Code::forbidden, "owner", [&] { static_cast<void>(keyring.index_key(main_domain(), 2)); });
  EXPECT_EQ(to_hex(crypto::view(keyring.index_key(main_domain(), 1))), to_hex(crypto::view(keyring_.index_key(main_domain(), 1))));
  EXPECT_EQ(to_hex(crypto::view(keyring.cache_key())), to_hex(crypto::view(keyring_.cache_key())));
  EXPECT_EQ(keyring.sealing_public(), keyring_.sealing_public());
  EXPECT_EQ(keyring.writer_signer().public_key(), keyring_.writer_signer().public_key());
}

TEST_F(KeyringVectors, TakeInGrantsThatAreTheirs) {
  const auto pair = crypto::random_key();
  Keyring keyring(root_, repository_, &pair);
  ASSERT_TRUE(keyring.grantee());
  keyring.set_current_generation(2);
  keyring.drop_owner();
  EXPECT_TRUE(keyring.has_domain_keys(main_domain(), 1)) << "what was written before the last generation stays known";
  EXPECT_FALSE(keyring.has_domain_keys(main_domain(), 3));
  keyring.set_current_generation(3);
  EXPECT_EQ(keyring.own_domain().generation, 2u) << "a generation that was not given";

  const auto sealing = keyring_.sealing_public(3);
  const auto grant = keyring_.make_grant(*keyring.grantee(), main_domain(), 3);
  const auto anothers = keyring_.make_grant(crypto::sealing_public_key(crypto::random_key()), main_domain(), 3);
  test::expect_error(Code::corrupt, "does not open", [&] { keyring.take_grant(3, anothers, sealing); });
  keyring.take_grant(3, grant, sealing);
  keyring.set_current_generation(3);
  EXPECT_EQ(keyring.own_domain().generation, 3u);
  EXPECT_EQ(keyring.sealing_public(), sealing);
  EXPECT_EQ(to_hex(crypto::view(keyring.own_domain().index)), to_hex(crypto::view(keyring_.index_key(main_domain(), 3))));
  EXPECT_FALSE(keyring.is_owner());
  EXPECT_TRUE(keyring.is_owners_writer());
}

TEST_F(KeyringVectors, OfARecoverySheetTakeNoGrants) { EXPECT_FALSE(keyring_.grantee()); }

TEST(MainDomain, IsCalledMain) { EXPECT_EQ(as_text(main_domain().view()), std::string("main") + std::string(12, '\0')); }

}  // namespace
}  // namespace mbu::keys
