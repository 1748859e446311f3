#include "crypto/kdf.hpp"

#include "../support/expect.hpp"

namespace mbu::crypto {
namespace {

Salt salt_from(std::uint8_t first) {
  Salt salt;
  for (std::uint8_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::uint8_t>(first + i);
  return salt;
}

constexpr std::string_view kWithZero("pass\0word", 9);

// Computed by the reference implementation of RFC 9106.
TEST(Argon2id, GivesWhatTheReferenceGives) {
  const auto hex = [](std::string_view password, const Salt& salt, std::uint32_t memory_kib, std::uint32_t passes) {
    return to_hex(view(argon2id(as_bytes(password), salt, memory_kib, passes)));
  };
  EXPECT_EQ(hex("password", salt_from(0xa0), 8192, 1), "f2cc2cb38e76ac9b83fc24479d17640cf345ed8f64073a1f8ff27735c399c3b1");
  EXPECT_EQ(hex("password", salt_from(0xa0), 8192, 3), "d7c2c81db2cdaf0b1fa0e008af12d029f001c79b3332420f92a26ef493a5f33f");
  EXPECT_EQ(hex("", Salt{}, 16384, 2), "e37d72ec8b3867927889ae841980fe2bc9f803098248c8efe02236ff6f2754e0");
  EXPECT_EQ(hex(kWithZero, salt_from(0), 8200, 1), "cf4f1a4ca2adf8f84027c9a794d013173b3dc7df9f38e35301a47bfbc14c7033");
}

TEST(Argon2id, RefusesMemoryThatIsNotToBeHad) {
  test::expect_error(Code::failed, "memory", [] { (void)argon2id({}, {}, 4, 1); });  // fewer than Argon2's eight blocks
}

// Computed by another implementation of RFC 8018.
TEST(Pbkdf2, GivesWhatOthersGive) {
  const auto hex = [](std::string_view password, const Salt& salt, std::uint32_t iterations) {
    return to_hex(view(pbkdf2_sha256(as_bytes(password), salt, iterations)));
  };
  Salt text;
  std::ranges::copy(std::string_view("saltSALTsaltSALT"), text.begin());
  EXPECT_EQ(hex("passwordPASSWORDpassword", text, 4096), "eddc0bcbfc4e6611add821731e42a000fdf5027024d43ec090a1fe501aaf370e");
  EXPECT_EQ(hex("", Salt{}, 1), "c8c2ef93624f53f746ad5664441f9e04f1dde6c84f8f0a06689d9f4ef61ec1bd");
  EXPECT_EQ(hex(kWithZero, salt_from(0), 1000), "af80235b7ed265fab8d625da6c157e3e1f5c97b3d1bc8fe2781b2ff91a808ca4");
}

}  // namespace
}  // namespace mbu::crypto
