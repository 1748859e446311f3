#include "repo/envelope.hpp"

#include "../support/document_vectors.hpp"
#include "format/statement.hpp"
#include "support.hpp"

namespace mbu::repo {
namespace {

using format::ObjectKind;

const std::string kSubject = "index/ab";

class Envelope : public testing::Test {
 protected:
  crypto::Key root_ = crypto::random_key();
  RepositoryId id_;
  keys::Keyring keyring_{root_, id_};
};

TEST_F(Envelope, RoundTripsEveryKind) {
  for (const auto kind : {ObjectKind::index, ObjectKind::snapshot, ObjectKind::statement, ObjectKind::lock}) {
    for (const std::size_t size : {1u, 1000u, 3'000'000u}) {
      test::Random random(size);
      const auto plain = random.bytes(size);
      const auto bytes = seal_object(keyring_, kind, keyring_.writer_signer(), plain);
      const auto object = open_object(keyring_, kind, bytes, kSubject);
      EXPECT_EQ(object.plain, plain);
      EXPECT_EQ(object.signer, keyring_.writer_signer().public_key());
      EXPECT_EQ(object.header.kind, kind);
    }
  }
}

TEST_F(Envelope, NoticesEveryByte) {
  for (const auto kind : {ObjectKind::index, ObjectKind::snapshot}) {
    auto bytes = seal_object(keyring_, kind, keyring_.writer_signer(), ByteBuffer(100, 'x'));
    for (auto& byte : bytes) {
      byte ^= 0x20;
      EXPECT_EQ(test::error_of([&] { (void)open_object(keyring_, kind, bytes, kSubject); }).code(), Code::corrupt);
      byte ^= 0x20;
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = ByteView(bytes).first(size);
      EXPECT_EQ(test::error_of([&] { (void)open_object(keyring_, kind, cut, kSubject); }).code(), Code::corrupt);
    }
  }
}

TEST_F(Envelope, IsOfOneRepositoryAndOneKind) {
  const auto bytes = seal_object(keyring_, ObjectKind::statement, keyring_.owner_signer(), as_bytes("plain"));
  test::expect_error(Code::corrupt, "kind", [&] { (void)open_object(keyring_, ObjectKind::lock, bytes, kSubject); });
  RepositoryId other;
  other.bytes[0] = 1;
  const keys::Keyring stranger(root_, other);
  test::expect_error(Code::corrupt, "another repository",
                     [&] { (void)open_object(stranger, ObjectKind::statement, bytes, kSubject); });
  const keys::Keyring other_root(crypto::random_key(), id_);
  test::expect_error(Code::corrupt, "commits to",
                     [&] { (void)open_object(other_root, ObjectKind::statement, bytes, kSubject); });
}

TEST_F(Envelope, HasAKeyOfItsOwn) {
  for (const auto kind : {ObjectKind::pack, ObjectKind::index, ObjectKind::snapshot, ObjectKind::statement}) {
    const auto one = make_header(keyring_, kind), other = make_header(keyring_, kind);
    EXPECT_NE(one.key.expose(), other.key.expose());
    EXPECT_NE(one.hash, other.hash);
    const auto opened = open_header(keyring_, kind, one.bytes, kSubject);
    EXPECT_EQ(opened.key.expose(), one.key.expose());
    EXPECT_EQ(opened.hash, one.hash);
  }
}

TEST_F(Envelope, OpensTheDocumentsStatement) {
  const test::DocumentVectors document;
  const keys::Keyring keyring(crypto::key_from(document.bytes("R")), document.id<RepositoryId>("repo"));
  const auto bytes = document.bytes("statement");
  EXPECT_EQ(to_hex(crypto::sha256(bytes)), document.text("its name"));
  const auto object = open_object(keyring, ObjectKind::statement, bytes, kSubject);
  EXPECT_EQ(object.signer.hex(), document.text("owner's public key"));
  EXPECT_EQ(to_hex(object.plain), to_hex(document.bytes("FlatBuffer")));
  const auto open = open_header(keyring, ObjectKind::statement, bytes, kSubject);
  EXPECT_EQ(to_hex(crypto::view(open.key)), document.text("its K"));
}

TEST_F(Envelope, OpensTheDocumentsPackHeaderAndBlock) {
  const test::DocumentVectors document;
  const keys::Keyring keyring(crypto::key_from(document.bytes("R")), document.id<RepositoryId>("repo"));
  const auto open = open_header(keyring, ObjectKind::pack, document.bytes("header"), kSubject);
  EXPECT_EQ(to_hex(open.hash), document.text("HH"));
  EXPECT_EQ(to_hex(crypto::view(open.key)), document.text("K"));
  format::BlockEntry block{5, 5, 1, format::BlockRole::data, format::BlockMethod::raw, {}};
  block.tag = test::unhex_array<16>(document.text("tag"));
  BlockScratch scratch{Compression{}};
  auto stored = document.bytes("ciphertext");
  EXPECT_EQ(as_text(BlockOpener(open).open(2, block, stored, scratch, kSubject)), "hello");
}

}  // namespace
}  // namespace mbu::repo
