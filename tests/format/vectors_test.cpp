// The vectors of FORMAT.md §13 that need no key.
#include "../support/document_vectors.hpp"
#include "format/chunk_list.hpp"
#include "format/config.hpp"
#include "format/header.hpp"
#include "format/padme.hpp"
#include "format/slot.hpp"
#include "format/toc.hpp"
#include "support.hpp"

namespace mbu::format {
namespace {

class DocumentVector : public testing::Test {
 protected:
  mbu::test::DocumentVectors document_;
};

TEST_F(DocumentVector, Config) {
  const auto bytes = document_.bytes("config");
  const auto config = decode_config(bytes, test::kSubject).config;
  EXPECT_EQ(config.repository.hex(), document_.text("repo"));
  EXPECT_EQ(config.owner.hex(), document_.text("owner's public key"));
  EXPECT_EQ(encode_config_head(config), ByteBuffer(bytes.begin(), bytes.begin() + kConfigHeadSize));
}

TEST_F(DocumentVector, Slot) {
  const auto bytes = document_.bytes("slot, PBKDF2");
  const auto slot = decode_slot(bytes, test::kSubject);
  EXPECT_EQ(slot.config_hash.hex(), document_.text("H(config)"));
  EXPECT_EQ(slot.kdf, SlotKdf::pbkdf2);
  EXPECT_EQ(slot.passes, 100'000u);
  EXPECT_EQ(to_hex(slot.salt), document_.text("salt"));
  EXPECT_EQ(encode_slot(slot), bytes);
}

TEST_F(DocumentVector, Header) {
  const auto bytes = document_.bytes("header");
  const auto header = decode_header(bytes, ObjectKind::pack, test::kSubject);
  EXPECT_EQ(header.repository.hex(), document_.text("repo"));
  EXPECT_EQ(header.domain, kMainDomain);
  EXPECT_EQ(header.generation, 1u);
  EXPECT_EQ(to_hex(header.random), document_.text("random"));
  EXPECT_EQ(to_hex(header.commitment), document_.text("commitment"));
  EXPECT_EQ(encode_header(header), bytes);
}

TEST_F(DocumentVector, HeaderOfAStatement) {
  const auto bytes = document_.bytes("statement");
  const auto header = decode_header(bytes, ObjectKind::statement, test::kSubject);
  EXPECT_EQ(encode_header(header), ByteBuffer(bytes.begin(), bytes.begin() + kSharedHeaderSize));
}

TEST_F(DocumentVector, BlockNonceAndAad) {
  const BlockEntry block{5, 5, 1, BlockRole::data, BlockMethod::raw, {}};
  EXPECT_EQ(to_hex(block_nonce(2)), document_.text("nonce"));
  EXPECT_EQ(to_hex(block_aad(document_.bytes("HH"), 2, block)), document_.text("aad"));
}

TEST_F(DocumentVector, ChunkList) {
  const auto bytes = document_.bytes("list");
  const auto list = decode_chunk_list(bytes, test::kSubject);
  EXPECT_EQ(list.level, 0u);
  ASSERT_EQ(list.items.size(), 2u);
  EXPECT_EQ(list.items[0].id.hex(), document_.text("data id of `hello`"));
  EXPECT_EQ(list.items[0].bytes, 5u);
  EXPECT_EQ(list.items[1].id.hex(), document_.text("data id of `world!`"));
  EXPECT_EQ(list.items[1].bytes, 6u);
  EXPECT_EQ(encode_chunk_list(list), bytes);
}

TEST_F(DocumentVector, SparseMaps) {
  const auto expect = [&](const std::string& name, const std::vector<DataRun>& runs) {
    EXPECT_EQ(to_hex(encode_sparse_map(runs)), document_.text(name));
    EXPECT_EQ(decode_sparse_map(document_.bytes(name), std::uint64_t{1} << 41), runs);
  };
  expect("4096 hole, 3 data, 15901 hole, 4 data", {{4096, 3}, {20000, 4}});
  expect("0 hole, 1 data, 2^40 hole, 300 data", {{0, 1}, {(std::uint64_t{1} << 40) + 1, 300}});
}

TEST_F(DocumentVector, Padme) {
  for (const std::uint64_t length : {200u, 208u, 1000u, 4097u, 65536u, 65537u, 999999u, 1048575u}) {
    EXPECT_EQ(std::to_string(padme(length)), document_.text("Padmé of " + std::to_string(length)));
  }
}

}  // namespace
}  // namespace mbu::format
