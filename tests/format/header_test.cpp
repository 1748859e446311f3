#include "format/header.hpp"

#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

constexpr ObjectKind kKinds[] = {ObjectKind::pack, ObjectKind::index, ObjectKind::snapshot, ObjectKind::statement,
                                 ObjectKind::lock};

ObjectHeader some_header(Random& random, ObjectKind kind) {
  ObjectHeader header;
  header.kind = kind;
  header.repository = random.id<RepositoryId>();
  const bool owners = kind == ObjectKind::statement || kind == ObjectKind::lock;
  header.domain = owners ? kMainDomain : random.id<DomainId>();
  header.generation = random.any<std::uint32_t>();
  header.random = random.array<32>();
  header.commitment = random.array<32>();
  header.sealed_key = random.bytes(header.mode() == KeyMode::sealed ? 80 : 0);
  return header;
}

auto decoder(ObjectKind kind) {
  return [kind](ByteView bytes, const std::string& subject) { return decode_header(bytes, kind, subject); };
}

TEST(Header, RoundTripsWhateverFollows) {
  Random random(1);
  for (const auto kind : kKinds) {
    const auto header = some_header(random, kind);
    auto bytes = encode_header(header);
    EXPECT_EQ(bytes.size(), header_size(header));
    EXPECT_EQ(bytes.size(), header.mode() == KeyMode::sealed ? kSealedHeaderSize : kSharedHeaderSize);
    EXPECT_EQ(decode_header(bytes, kind, test::kSubject), header);
    append(bytes, random.bytes(100));
    EXPECT_EQ(decode_header(bytes, kind, test::kSubject), header);
  }
}

TEST(Header, HasItsFieldsWhereTheFormatSays) {
  Random random(2);
  auto header = some_header(random, ObjectKind::statement);
  header.generation = 0x01020304;
  const auto bytes = encode_header(header);
  const ByteView view(bytes);
  EXPECT_EQ(as_text(view.first(8)), std::string_view("MBUT\1\0\1\0", 8));
  EXPECT_EQ(RepositoryId::from(view.subspan(8, 32)), header.repository);
  EXPECT_EQ(as_text(view.subspan(40, 16)), std::string_view("main\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(as_text(view.subspan(56, 8)), std::string_view("\4\3\2\1\2\0\0\0", 8));
  EXPECT_TRUE(std::equal(header.random.begin(), header.random.end(), bytes.begin() + 64));
  EXPECT_TRUE(std::equal(header.commitment.begin(), header.commitment.end(), bytes.begin() + 96));

  header = some_header(random, ObjectKind::pack);
  const auto pack = encode_header(header);
  EXPECT_EQ(as_text(ByteView(pack).subspan(60, 4)), std::string_view("\1\0\x50\0", 4));
  EXPECT_TRUE(std::equal(header.sealed_key.begin(), header.sealed_key.end(), pack.begin() + 128));
}

TEST(Header, PrefixIsThereBeforeTheKeyIs) {
  Random random(3);
  for (const auto kind : kKinds) {
    auto header = some_header(random, kind);
    const auto bytes = encode_header(header);
    header.commitment = {};
    header.sealed_key.clear();
    EXPECT_EQ(encode_header_prefix(header), ByteBuffer(bytes.begin(), bytes.begin() + kHeaderPrefixSize));
  }
}

template <class T>
ByteBuffer header_with(ObjectKind kind, std::size_t at, T value) {
  Random random(4);
  auto bytes = encode_header(some_header(random, kind));
  write_integer(MutableBytes(bytes).subspan(at), value);
  return bytes;
}

TEST(Header, RejectsOtherKinds) {
  Random random(5);
  for (const auto made : kKinds) {
    for (const auto expected : kKinds) {
      if (made == expected) continue;
      test::expect_corrupt(encode_header(some_header(random, made)), decoder(expected), "kind");
    }
  }
}

TEST(Header, RejectsAnUnknownVersionOrSuite) {
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::pack, 4, 2), decoder(ObjectKind::pack), "version or");
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::pack, 6, 2), decoder(ObjectKind::pack), "or suite");
}

TEST(Header, RejectsAKeyModeThatDoesNotFitItsKind) {
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::pack, 60, 2), decoder(ObjectKind::pack), "key mode");
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::lock, 60, 1), decoder(ObjectKind::lock), "key mode");
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::lock, 60, 3), decoder(ObjectKind::lock), "key mode");
}

TEST(Header, RejectsASealedKeyOfAnotherLength) {
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::pack, 62, 79), decoder(ObjectKind::pack), "sealed key");
  test::expect_corrupt(header_with<std::uint16_t>(ObjectKind::index, 62, 80), decoder(ObjectKind::index), "sealed");
}

TEST(Header, RejectsStatementsAndLocksOfOtherDomains) {
  for (const auto kind : {ObjectKind::statement, ObjectKind::lock}) {
    test::expect_corrupt(header_with<std::uint8_t>(kind, 55, 1), decoder(kind), "main domain");
    Random random(6);
    auto header = some_header(random, kind);
    header.domain = random.id<DomainId>();
    test::expect_refused([&] { static_cast<void>(encode_header(header)); }, "main domain");
  }
}

TEST(Header, RefusesASealedKeyThatDoesNotFit) {
  Random random(7);
  auto header = some_header(random, ObjectKind::pack);
  header.sealed_key.pop_back();
  test::expect_refused([&] { static_cast<void>(encode_header(header)); }, "sealed key");
}

TEST(Header, SurvivesTampering) {
  Random random(8);
  for (const auto kind : kKinds) {
    test::expect_survives_tampering(encode_header(some_header(random, kind)), decoder(kind));
  }
}

}  // namespace
}  // namespace mbu::format
