#include "crypto/public_key.hpp"

#include "../support/document_vectors.hpp"

namespace mbu::crypto {
namespace {

using test::unhex;

struct Vector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, SignsAsRfc8032Says) {
  for (const auto& vector : kVectors) {
    const SigningKey key(key_from(unhex(vector.seed)));
    EXPECT_EQ(key.public_key().hex(), vector.public_key);
    EXPECT_EQ(to_hex(key.sign(unhex(vector.message))), vector.signature);
    EXPECT_TRUE(verify(key.public_key(), unhex(vector.message), test::unhex_array<64>(vector.signature)));
  }
}

TEST(Ed25519, NoticesEveryBit) {
  const SigningKey key(key_from(unhex(kVectors[2].seed)));
  ByteBuffer message = unhex(kVectors[2].message);
  auto signature = key.sign(message);
  auto signer = key.public_key();
  const auto expect_all_matter = [&](MutableBytes part) {
    for (auto& byte : part) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        byte = static_cast<std::uint8_t>(byte ^ (1u << bit));
        EXPECT_FALSE(verify(signer, message, signature));
        byte = static_cast<std::uint8_t>(byte ^ (1u << bit));
      }
    }
  };
  expect_all_matter(message);
  expect_all_matter(signature);
  expect_all_matter(signer.bytes);
  EXPECT_TRUE(verify(signer, message, signature));
}

// With a key of small order, R = identity and S = 0 verify for some or all messages under the bare equation.
TEST(Ed25519, RefusesKeysOfSmallOrder) {
  constexpr const char* kSmall[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  for (const auto* hex : kSmall) {
    const PublicKey signer{test::unhex_array<32>(hex)};
    for (const auto* r : kSmall) {
      Signature signature{};
      const auto point = unhex(r);
      std::ranges::copy(point, signature.begin());
      for (const auto* message : {"", "00", "01", "ff"}) EXPECT_FALSE(verify(signer, unhex(message), signature));
    }
  }
}

TEST(Ed25519, RefusesPointsThatAreNotCanonical) {
  const SigningKey key(key_from(unhex(kVectors[0].seed)));
  const auto signature = key.sign({});
  for (const auto* hex : {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",    // p
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",    // p + 1
                          "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_FALSE(verify(PublicKey{test::unhex_array<32>(hex)}, {}, signature));
  }
}

// S + L satisfies the equation as S does: a signature must not have two forms.
TEST(Ed25519, RefusesASecondFormOfASignature) {
  const SigningKey key(key_from(unhex(kVectors[1].seed)));
  const auto message = unhex(kVectors[1].message);
  auto signature = key.sign(message);
  const auto order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    carry += static_cast<unsigned>(signature[32 + i]) + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  ASSERT_EQ(carry, 0u);
  EXPECT_FALSE(verify(key.public_key(), message, signature));
}

TEST(X25519, GivesThePublicKeyOfRfc7748) {
  const auto bob = key_from(unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(sealing_public_key(bob).hex(), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TEST(SealedKey, RoundTripsAndIsNewEveryTime) {
  const auto secret = random_key();
  const auto own = sealing_public_key(secret);
  const auto key = random_key();
  const auto first = seal_key(own, key);
  const auto second = seal_key(own, key);
  EXPECT_EQ(first.size(), kSealedKeySize);
  EXPECT_NE(first, second);
  EXPECT_EQ(open_sealed_key(secret, own, first, "it").expose(), key.expose());
  EXPECT_EQ(open_sealed_key(secret, own, second, "it").expose(), key.expose());
}

TEST(SealedKey, OpensTheDocuments) {
  const test::DocumentVectors document;
  const auto secret = key_from(document.bytes("sealing secret"));
  const auto own = sealing_public_key(secret);
  EXPECT_EQ(own.hex(), document.text("sealing public key"));
  const auto header = document.bytes("header");
  ASSERT_EQ(header.size(), 208u);
  EXPECT_EQ(to_hex(view(open_sealed_key(secret, own, ByteView(header).subspan(128), "it"))), document.text("K"));
}

TEST(SealedKey, NoticesEveryByteAndEveryLength) {
  const auto secret = random_key();
  const auto own = sealing_public_key(secret);
  auto sealed = seal_key(own, random_key());
  const auto open = [&](ByteView bytes) { (void)open_sealed_key(secret, own, bytes, "data/ab"); };
  for (auto& byte : sealed) {
    byte ^= 0x10;
    EXPECT_EQ(test::error_of([&] { open(sealed); }).subject(), "data/ab");
    byte ^= 0x10;
  }
  test::expect_error(Code::corrupt, "does not open", [&] { open(ByteView(sealed).first(79)); });
  test::expect_error(Code::corrupt, "does not open", [&] { open({}); });
  sealed.push_back(0);
  test::expect_error(Code::corrupt, "does not open", [&] { open(sealed); });
}

TEST(SealedKey, OpensForNobodyElse) {
  const auto secret = random_key();
  const auto other = random_key();
  const auto sealed = seal_key(sealing_public_key(secret), random_key());
  test::expect_error(Code::corrupt, "does not open", [&] {
    (void)open_sealed_key(other, sealing_public_key(other), sealed, "it");
  });
}

TEST(SealedKey, RefusesARecipientOfSmallOrder) {
  test::expect_error(Code::failed, "not usable", [] { (void)seal_key(PublicKey{}, random_key()); });
}

}  // namespace
}  // namespace mbu::crypto
