#include "crypto/aead.hpp"

#include <numeric>

#include "base/random.hpp"
#include "crypto/gcm.hpp"

#include "../support/expect.hpp"

namespace mbu::crypto {
namespace {

using test::unhex;

struct Vector {
  const char* key;
  const char* nonce;
  const char* plain;
  const char* additional;
  const char* sealed;
  const char* tag;
};

// Test cases 13 to 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega): those with 256-bit keys and 96-bit nonces.
constexpr Vector kVectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

// One message in all its parts, to be tampered with.
struct Message {
  Key key;
  Nonce nonce;
  ByteBuffer additional, plain, sealed;
  Tag tag;
};

Message message_of(const Vector& vector) {
  return {key_from(unhex(vector.key)), test::unhex_array<12>(vector.nonce), unhex(vector.additional),
          unhex(vector.plain),         unhex(vector.sealed),                test::unhex_array<16>(vector.tag)};
}

bool opens(const Message& message, ByteBuffer& plain) {
  plain.assign(message.sealed.size(), 0xee);
  return Aead(message.key).open(message.nonce, message.additional, message.sealed, message.tag, plain);
}

TEST(Aead, SealsAsThePublishedVectorsSay) {
  for (const auto& vector : kVectors) {
    const auto message = message_of(vector);
    auto bytes = message.plain;
    const auto tag = Aead(message.key).seal_in_place(message.nonce, message.additional, bytes);
    EXPECT_EQ(to_hex(bytes), to_hex(message.sealed));
    EXPECT_EQ(to_hex(tag), to_hex(message.tag));
  }
}

TEST(Aead, OpensThePublishedVectors) {
  for (const auto& vector : kVectors) {
    const auto message = message_of(vector);
    ByteBuffer plain;
    EXPECT_TRUE(opens(message, plain));
    EXPECT_EQ(plain, message.plain);
  }
}

TEST(Aead, OpensInPlace) {
  auto message = message_of(kVectors[3]);
  EXPECT_TRUE(Aead(message.key).open(message.nonce, message.additional, message.sealed, message.tag, message.sealed));
  EXPECT_EQ(message.sealed, message.plain);
}

// Flips every bit of `part`: none may go unnoticed, and nothing of the plaintext may come out.
void expect_every_bit_matters(Message& message, MutableBytes part) {
  for (auto& byte : part) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      byte = static_cast<std::uint8_t>(byte ^ (1u << bit));
      ByteBuffer plain;
      EXPECT_FALSE(opens(message, plain));
      EXPECT_EQ(plain, ByteBuffer(plain.size()));
      byte = static_cast<std::uint8_t>(byte ^ (1u << bit));
    }
  }
  ByteBuffer plain;
  EXPECT_TRUE(opens(message, plain));
}

TEST(Aead, NoticesEveryBitOfTheTag) {
  auto message = message_of(kVectors[3]);
  expect_every_bit_matters(message, message.tag);
}

TEST(Aead, NoticesEveryBitOfTheAdditionalData) {
  auto message = message_of(kVectors[3]);
  expect_every_bit_matters(message, message.additional);
}

TEST(Aead, NoticesEveryBitOfTheCiphertext) {
  auto message = message_of(kVectors[3]);
  expect_every_bit_matters(message, message.sealed);
}

TEST(Aead, NoticesEveryBitOfTheNonce) {
  auto message = message_of(kVectors[3]);
  expect_every_bit_matters(message, message.nonce);
}

TEST(Aead, NoticesEveryBitOfTheKey) {
  auto message = message_of(kVectors[3]);
  expect_every_bit_matters(message, message.key.expose());
}

TEST(Aead, NoticesLengthsThatMovedBetweenItsParts) {
  auto message = message_of(kVectors[3]);
  message.additional.push_back(message.sealed.front());
  message.sealed.erase(message.sealed.begin());
  ByteBuffer plain;
  EXPECT_FALSE(opens(message, plain));
}

TEST(Aead, KeepsNothingOfOneMessageForTheNext) {
  const auto message = message_of(kVectors[3]);
  Aead aead(message.key);
  ByteBuffer plain(message.sealed.size());
  Tag wrong = message.tag;
  wrong[0] ^= 1;
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(aead.open(message.nonce, message.additional, message.sealed, wrong, plain));
    EXPECT_TRUE(aead.open(message.nonce, message.additional, message.sealed, message.tag, plain));
    auto again = message.plain;
    EXPECT_EQ(aead.seal_in_place(message.nonce, message.additional, again), message.tag);
    EXPECT_EQ(again, message.sealed);
  }
}

// All that this processor can run, OpenSSL's first.
std::vector<std::unique_ptr<Gcm>> gcms(const Key& key) {
  std::vector<std::unique_ptr<Gcm>> all;
  all.push_back(make_openssl_gcm(key));
  for (const auto vectors : {Vectors::avx2, Vectors::widest}) {
    if (auto other = make_ipsec_gcm(key, vectors)) all.push_back(std::move(other));
  }
  return all;
}

TEST(Gcm, AllComputeThePublishedVectors) {
  for (const auto& vector : kVectors) {
    const auto message = message_of(vector);
    for (const auto& gcm : gcms(message.key)) {
      ByteBuffer bytes(message.plain.size());
      EXPECT_EQ(gcm->seal(message.nonce, message.additional, message.plain, bytes), message.tag);
      EXPECT_EQ(bytes, message.sealed);
      EXPECT_TRUE(gcm->open(message.nonce, message.additional, bytes, message.tag, bytes));
      EXPECT_EQ(bytes, message.plain);
      auto wrong = message.tag;
      wrong.back() ^= 0x80;
      EXPECT_FALSE(gcm->open(message.nonce, message.additional, message.sealed, wrong, bytes));
    }
  }
}

// Seals `plain` by both, in place and not, and opens it again by the other: into `room` at each step, which begins anywhere.
void expect_agreement(Gcm& openssl, Gcm& other, ByteView plain, ByteView additional, MutableBytes room) {
  Nonce nonce;
  fill_random(nonce);
  ByteBuffer sealed(plain.size());
  const auto tag = openssl.seal(nonce, additional, plain, sealed);
  ASSERT_EQ(other.seal(nonce, additional, plain, room), tag);
  ASSERT_TRUE(std::ranges::equal(room, sealed));
  ASSERT_TRUE(other.open(nonce, additional, room, tag, room));
  ASSERT_TRUE(std::ranges::equal(room, plain));
  ASSERT_EQ(other.seal(nonce, additional, room, room), tag);
  ASSERT_TRUE(std::ranges::equal(room, sealed));
  std::ranges::fill(room, std::uint8_t{0});
  ASSERT_TRUE(other.open(nonce, additional, sealed, tag, room));
  ASSERT_TRUE(std::ranges::equal(room, plain));
  if (plain.empty()) return;
  sealed[plain.size() / 2] ^= 1;
  ASSERT_FALSE(other.open(nonce, additional, sealed, tag, room));
}

// Around the lengths at which wide registers are filled, wherever in memory a message and what is bound to it begin.
TEST(Gcm, AllAgreeAtAllLengths) {
  const auto key = random_key();
  const auto all = gcms(key);
  if (all.size() < 2) GTEST_SKIP() << "OpenSSL's is the only AES-GCM that this processor can run, or that mbu was built with";
  std::vector<std::size_t> lengths(1100);
  std::iota(lengths.begin(), lengths.end(), 0U);
  for (const std::size_t large : {4096U, 65'536U, 524'288U, 2'097'152U}) lengths.insert(lengths.end(), {large - 1, large, large + 17});
  ByteBuffer random(lengths.back() + 64), place(lengths.back() + 64);
  fill_random(random);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto length = lengths[i];
    const auto plain = ByteView(random).subspan(i * 7 % 64, length);
    const auto additional = ByteView(random).subspan(i % 17, i % 70);
    for (std::size_t k = 1; k < all.size(); ++k) {
      expect_agreement(*all[0], *all[k], plain, additional, MutableBytes(place).subspan(i % 64, length));
      if (HasFatalFailure()) FAIL() << length << " bytes, implementation " << k;
    }
  }
}

TEST(SealOnce, RoundTripsWithATagBehind) {
  const auto key = random_key();
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 100'000u}) {
    const ByteBuffer plain(size, 'x');
    const auto sealed = seal_once(key, as_bytes("about"), plain);
    EXPECT_EQ(sealed.size(), size + 16);
    EXPECT_EQ(open_once(key, as_bytes("about"), sealed, "it"), plain);
  }
}

TEST(SealOnce, NamesWhatDoesNotOpen) {
  const auto key = random_key();
  auto sealed = seal_once(key, {}, as_bytes("hello"));
  sealed.back() ^= 1;
  const auto altered = test::error_of([&] { (void)open_once(key, {}, sealed, "index/ab"); });
  EXPECT_EQ(altered.code(), Code::corrupt);
  EXPECT_EQ(altered.subject(), "index/ab");
  test::expect_error(Code::corrupt, "cut short", [&] { (void)open_once(key, {}, ByteBuffer(15), "it"); });
}

}  // namespace
}  // namespace mbu::crypto
