#include "format/config.hpp"

#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

ByteBuffer some_config(Random& random, Config& config) {
  config = {random.id<RepositoryId>(), random.id<PublicKey>()};
  auto bytes = encode_config_head(config);
  append(bytes, random.bytes(32));
  return bytes;
}

TEST(Config, RoundTrips) {
  Random random(1);
  Config config;
  const auto bytes = some_config(random, config);
  ASSERT_EQ(bytes.size(), kConfigSize);
  const auto decoded = decode_config(bytes, test::kSubject);
  EXPECT_EQ(decoded.config, config);
  EXPECT_EQ(decoded.head.data(), bytes.data());
  EXPECT_EQ(decoded.head.size(), kConfigHeadSize);
  EXPECT_EQ(decoded.checksum.data(), bytes.data() + kConfigHeadSize);
  EXPECT_EQ(decoded.checksum.size(), 32u);
}

TEST(Config, HasItsFieldsWhereTheFormatSays) {
  Random random(2);
  Config config;
  const auto bytes = some_config(random, config);
  EXPECT_EQ(as_text(ByteView(bytes).first(16)), std::string_view("MBUCONF1\1\0\1\0\0\0\0\0", 16));
  EXPECT_EQ(RepositoryId::from(ByteView(bytes).subspan(16, 32)), config.repository);
  EXPECT_EQ(PublicKey::from(ByteView(bytes).subspan(48, 32)), config.owner);
}

TEST(Config, OfANewerVersionOrSuiteAsksForAnUpdate) {
  Random random(3);
  Config config;
  for (const std::size_t at : {8u, 10u}) {
    auto bytes = some_config(random, config);
    bytes[at] = 2;
    bytes.resize(500);  // whatever else it holds
    try {
      static_cast<void>(decode_config(bytes, test::kSubject));
      ADD_FAILURE() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::failed);
      EXPECT_EQ(error.happened(), "was made by a newer mbu");
      EXPECT_EQ(error.next(), "update mbu");
    }
  }
}

TEST(Config, RejectsOtherFiles) {
  Random random(4);
  Config config;
  auto bytes = some_config(random, config);
  bytes[0] ^= 1;
  test::expect_corrupt(bytes, decode_config, "not a repository's config");
}

TEST(Config, RejectsBytesThatMustBeZero) {
  Random random(5);
  Config config;
  auto bytes = some_config(random, config);
  bytes[15] = 1;
  test::expect_corrupt(bytes, decode_config, "must be zero");
}

TEST(Config, RejectsOtherLengths) {
  Random random(6);
  Config config;
  auto bytes = some_config(random, config);
  bytes.push_back(0);
  test::expect_corrupt(bytes, decode_config, "too long");
  bytes.resize(kConfigSize - 1);
  test::expect_corrupt(bytes, decode_config, "cut short");
  test::expect_corrupt({}, decode_config, "cut short");
}

TEST(Config, SurvivesTampering) {
  Random random(7);
  Config config;
  test::expect_survives_tampering(some_config(random, config), decode_config);
}

}  // namespace
}  // namespace mbu::format
