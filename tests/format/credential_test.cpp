#include "format/flatbuffer.hpp"
#include "format/generated/slot_generated.h"
#include "format/slot.hpp"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

WriterCredential some_credential(Random& random) {
  WriterCredential credential;
  credential.signing_seed = random.array<32>();
  credential.x25519_secret = random.array<32>();
  credential.common_key = random.array<32>();
  credential.domain = random.id<DomainId>();
  std::uint32_t generation = 0;
  for (auto i = random.below(4) + 1; i > 0; --i) {
    generation += 1 + static_cast<std::uint32_t>(random.below(5));
    credential.domain_secrets.push_back({generation, random.array<32>()});
    credential.sealing_keys.push_back({generation, random.id<PublicKey>()});
  }
  return credential;
}

TEST(WriterCredential, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    const auto credential = some_credential(random);
    EXPECT_EQ(decode_writer_credential(encode_writer_credential(credential), test::kSubject), credential);
  }
}

TEST(WriterCredential, SurvivesTampering) {
  Random random(2);
  test::expect_survives_tampering(encode_writer_credential(some_credential(random)), decode_writer_credential);
}

// A credential's FlatBuffer with secrets of these lengths and generations.
ByteBuffer credential_of(std::size_t seed, std::size_t secret, std::size_t common, std::size_t domain,
                         const std::vector<std::uint32_t>& generations, std::size_t inner = 32) {
  flatbuffers::FlatBufferBuilder builder;
  const auto bytes = [&](std::size_t size) { return builder.CreateVector(ByteBuffer(size, 7)); };
  std::vector<flatbuffers::Offset<fb::DomainSecret>> secrets;
  std::vector<flatbuffers::Offset<fb::SealingPublicKey>> keys;
  for (const auto generation : generations) {
    secrets.push_back(fb::CreateDomainSecret(builder, generation, bytes(inner)));
    keys.push_back(fb::CreateSealingPublicKey(builder, generation, bytes(32)));
  }
  const auto a = bytes(seed), b = bytes(secret), c = bytes(common), d = bytes(domain);
  const auto all_secrets = builder.CreateVector(secrets);
  const auto all_keys = builder.CreateVector(keys);
  builder.Finish(fb::CreateWriterCredential(builder, a, b, c, d, all_secrets, all_keys));
  return detail::take(builder);
}

TEST(WriterCredential, RejectsSecretsOfOtherLengths) {
  EXPECT_TRUE(test::decodes(credential_of(32, 32, 32, 16, {1}), decode_writer_credential));
  test::expect_corrupt(credential_of(31, 32, 32, 16, {1}), decode_writer_credential, "signing seed");
  test::expect_corrupt(credential_of(32, 33, 32, 16, {1}), decode_writer_credential, "key of the wrong length");
  test::expect_corrupt(credential_of(32, 32, 0, 16, {1}), decode_writer_credential, "common key");
  test::expect_corrupt(credential_of(32, 32, 32, 15, {1}), decode_writer_credential, "domain");
  test::expect_corrupt(credential_of(32, 32, 32, 16, {1}, 31), decode_writer_credential, "domain secret");
}

TEST(WriterCredential, RejectsGenerationsThatDoNotAscend) {
  test::expect_corrupt(credential_of(32, 32, 32, 16, {}), decode_writer_credential, "ascend");
  test::expect_corrupt(credential_of(32, 32, 32, 16, {1, 1}), decode_writer_credential, "ascend");
  test::expect_corrupt(credential_of(32, 32, 32, 16, {2, 1}), decode_writer_credential, "ascend");
}

TEST(WriterCredential, RefusesToLeaveOutAllGenerations) {
  Random random(3);
  auto credential = some_credential(random);
  credential.domain_secrets.clear();
  test::expect_refused([&] { static_cast<void>(encode_writer_credential(credential)); }, "ascend");
}

}  // namespace
}  // namespace mbu::format
