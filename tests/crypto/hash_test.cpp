#include "crypto/hash.hpp"

#include <sodium.h>

#include "../support/expect.hpp"

namespace mbu::crypto {
namespace {

TEST(Sha256, HashesAsFips180Says) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(ByteBuffer(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, InPiecesIsThatOfTheWhole) {
  const ByteBuffer whole(1000, 'q');
  for (const std::size_t piece : {1u, 7u, 63u, 64u, 65u, 999u, 1000u}) {
    Sha256 hash;
    for (std::size_t at = 0; at < whole.size(); at += piece) {
      hash.update(ByteView(whole).subspan(at, std::min(piece, whole.size() - at)));
    }
    EXPECT_EQ(hash.finish(), sha256(whole)) << piece;
  }
}

TEST(Sha256, CanBeMoved) {
  Sha256 first;
  first.update(as_bytes("a"));
  Sha256 second = std::move(first);
  second.update(as_bytes("bc"));
  EXPECT_EQ(second.finish(), sha256(as_bytes("abc")));
}

// The published vectors of BLAKE3: byte i of the input is i modulo 251.
struct Blake3Vector {
  std::size_t size;
  const char* keyed;
  const char* derived;
};

constexpr Blake3Vector kBlake3[] = {
    {0, "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
     "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"},
    {1, "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b",
     "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c"},
    {64, "ba8ced36f327700d213f120b1a207a3b8c04330528586f414d09f2f7d9ccb7e6",
     "a5c4a7053fa86b64746d4bb688d06ad1f02a18fce9afd3e818fefaa7126bf73e"},
    {65, "c0a4edefa2d2accb9277c371ac12fcdbb52988a86edc54f0716e1591b4326e72",
     "51fd05c3c1cfbc8ed67d139ad76f5cf8236cd2acd26627a30c104dfd9d3ff8a8"},
    {1023, "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e",
     "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5"},
    {1024, "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4",
     "7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706"},
    {1025, "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69",
     "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb"},
    {8193, "954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5",
     "af1e0346e389b17c23200270a64aa4e1ead98c61695d917de7d5b00491c9b0f1"},
    {31744, "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419",
     "39772aef80e0ebe60596361e45b061e8f417429d529171b6764468c22928e28e"},
    {102400, "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7",
     "4652cff7a3f385a6103b5c260fc1593e13c778dbe608efb092fe7ee69df6e9c6"},
};

ByteBuffer blake3_input(std::size_t size) {
  ByteBuffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  return bytes;
}

Key blake3_key() { return key_from(as_bytes("whats the Elvish word for friend")); }

TEST(Blake3, HashesWithAKeyAsPublished) {
  for (const auto& vector : kBlake3) {
    EXPECT_EQ(to_hex(keyed_hash(blake3_key(), blake3_input(vector.size))), vector.keyed) << vector.size;
  }
}

TEST(Blake3, DerivesKeysAsPublished) {
  for (const auto& vector : kBlake3) {
    const auto key = derive("BLAKE3 2019-12-27 16:29:52 test vectors context", {blake3_input(vector.size)});
    EXPECT_EQ(to_hex(view(key)), vector.derived) << vector.size;
  }
}

TEST(Blake3, DerivesFromThePiecesJoined) {
  const auto whole = derive("context", {as_bytes("abcdef")});
  EXPECT_EQ(derive("context", {as_bytes("ab"), {}, as_bytes("cdef")}).expose(), whole.expose());
  EXPECT_NE(derive("context", {as_bytes("abcde")}).expose(), whole.expose());
  EXPECT_NE(derive("contexu", {as_bytes("abcdef")}).expose(), whole.expose());
}

TEST(Blake3, ExpandsToAStreamThatBeginsWithTheHashOfNothing) {
  ByteBuffer long_stream(5000), short_stream(100);
  expand(blake3_key(), long_stream);
  expand(blake3_key(), short_stream);
  EXPECT_TRUE(std::equal(short_stream.begin(), short_stream.end(), long_stream.begin()));
  EXPECT_EQ(to_hex(ByteView(long_stream).first(32)), kBlake3[0].keyed);
}

// Against libsodium's Poly1305.
TEST(NumberedSum, IsPoly1305UnderTheHashOfItsNumber) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4080U, 4096U, 100'000U}) {
    for (const std::uint64_t number : {0ULL, 1ULL, 4096ULL, 0xfedc'ba98'7654'3210ULL}) {
      ByteBuffer numbered;
      append(numbered, number);
      const auto once = keyed_hash(blake3_key(), numbered);
      const auto message = blake3_input(size);
      Sum expected;
      ASSERT_EQ(crypto_onetimeauth(expected.data(), message.data(), message.size(), once.data()), 0);
      EXPECT_EQ(numbered_sum(blake3_key(), number, message), expected) << size << ' ' << number;
    }
  }
}

// The reference's first and sixteenth vectors: key 00 01 … 0f, input 00 01 ….
TEST(ShortHash, IsSipHash24) {
  std::array<std::uint8_t, 16> key;
  for (std::uint8_t i = 0; i < key.size(); ++i) key[i] = i;
  EXPECT_EQ(short_hash(key, {}), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(short_hash(key, ByteView(key).first(15)), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace mbu::crypto
