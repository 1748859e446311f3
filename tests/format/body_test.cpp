#include "format/body.hpp"

#include "format/padme.hpp"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

struct Made {
  PublicKey signer;
  std::array<std::uint8_t, 64> signature;
  ByteBuffer compressed, signed_part, bytes;
};

Made make_body(Random& random, std::size_t size) {
  Made made{random.id<PublicKey>(), random.array<64>(), random.bytes(size), {}, {}};
  made.signed_part = encode_signed_part(12345, made.compressed);
  made.bytes = encode_body(made.signer, made.signature, made.signed_part,
                           padded_body_size(kSharedHeaderSize, made.signed_part.size()));
  return made;
}

TEST(Body, RoundTrips) {
  Random random(1);
  for (const std::size_t size : {1u, 2u, 100u, 4096u, 2'000'000u}) {
    const auto made = make_body(random, size);
    const auto body = decode_body(made.bytes, test::kSubject);
    EXPECT_EQ(body.signer, made.signer);
    EXPECT_EQ(body.signature, made.signature);
    EXPECT_EQ(body.plain_length, 12345u);
    EXPECT_TRUE(std::equal(body.compressed.begin(), body.compressed.end(), made.compressed.begin(),
                           made.compressed.end()));
    EXPECT_EQ(body.signed_part.data(), made.bytes.data() + 96);
    EXPECT_EQ(ByteBuffer(body.signed_part.begin(), body.signed_part.end()), made.signed_part);
  }
}

TEST(Body, PadsSmallFilesOnly) {
  for (std::size_t size = 9; size < 1'200'000; size += 1009) {
    const std::size_t file = kSealedHeaderSize + 96 + size + 16;
    const std::size_t padded = kSealedHeaderSize + padded_body_size(kSealedHeaderSize, size) + 16;
    EXPECT_EQ(padded, file < 1024 * 1024 ? padme(file) : file);
  }
}

TEST(Body, RejectsPaddingThatIsNotZero) {
  Random random(2);
  auto bytes = make_body(random, 1000).bytes;
  ASSERT_GT(bytes.size(), 96u + 8 + 1000);
  bytes.back() = 1;
  test::expect_corrupt(bytes, decode_body, "must be zero");
}

ByteBuffer body_with(std::size_t at, std::uint32_t value) {
  Random random(3);
  auto bytes = make_body(random, 1000).bytes;
  write_integer(MutableBytes(bytes).subspan(at), value);
  return bytes;
}

TEST(Body, RejectsMoreThanAGibibyte) {
  EXPECT_TRUE(test::decodes(body_with(96, kLargestBodyPlain), decode_body));
  test::expect_corrupt(body_with(96, kLargestBodyPlain + 1), decode_body, "decompressed length");
  test::expect_corrupt(body_with(96, 0), decode_body, "decompressed length");
}

TEST(Body, RejectsACompressedLengthBeyondItsEnd) {
  test::expect_corrupt(body_with(100, 100'000), decode_body, "cut short");
  test::expect_corrupt(body_with(100, 0xffff'ffff), decode_body, "cut short");
  test::expect_corrupt(body_with(100, 0), decode_body, "holds nothing");
}

TEST(Body, SurvivesTampering) {
  Random random(4);
  test::expect_survives_tampering(make_body(random, 100).bytes, decode_body);
}

TEST(Body, RefusesImpossibleLengths) {
  const ByteBuffer some(10);
  test::expect_refused([&] { static_cast<void>(encode_signed_part(0, some)); }, "too large");
  test::expect_refused([&] { static_cast<void>(encode_signed_part(kLargestBodyPlain + 1, some)); }, "too large");
  test::expect_refused([&] { static_cast<void>(encode_body({}, {}, some, 105)); }, "does not fit");
}

TEST(SealedToc, RoundTripsInMultiplesOf64) {
  Random random(5);
  for (std::size_t size = 1; size < 200; ++size) {
    const auto signer = random.id<PublicKey>();
    const auto compressed = random.bytes(size);
    const auto bytes = encode_sealed_toc_plain(signer, 77, compressed);
    EXPECT_EQ(bytes.size(), (32 + 8 + size + 63) / 64 * 64);
    const auto toc = decode_sealed_toc_plain(bytes, test::kSubject);
    EXPECT_EQ(toc.signer, signer);
    EXPECT_EQ(toc.plain_length, 77u);
    EXPECT_EQ(ByteBuffer(toc.compressed.begin(), toc.compressed.end()), compressed);
  }
}

TEST(SealedToc, RejectsOtherPadding) {
  const auto good = encode_sealed_toc_plain({}, 77, ByteBuffer(50, 9));
  auto bytes = good;
  bytes.resize(192);
  test::expect_corrupt(bytes, decode_sealed_toc_plain, "padded");
  bytes.resize(127);
  test::expect_corrupt(bytes, decode_sealed_toc_plain, "padded");
  bytes = good;
  bytes.back() = 1;
  test::expect_corrupt(bytes, decode_sealed_toc_plain, "must be zero");
}

TEST(SealedToc, RejectsLengthsOutOfBounds) {
  auto bytes = encode_sealed_toc_plain({}, 77, ByteBuffer(50, 9));
  write_integer(MutableBytes(bytes).subspan(32), kLargestTocPlain + 1);
  test::expect_corrupt(bytes, decode_sealed_toc_plain, "decompressed length");
  bytes = encode_sealed_toc_plain({}, 77, ByteBuffer(50, 9));
  write_integer(MutableBytes(bytes).subspan(36), std::uint32_t{1000});
  test::expect_corrupt(bytes, decode_sealed_toc_plain, "cut short");
}

TEST(SealedToc, SurvivesTampering) {
  test::expect_survives_tampering(encode_sealed_toc_plain({}, 77, ByteBuffer(50, 9)), decode_sealed_toc_plain);
}

TEST(SignatureMessage, NamesItsPurposeItsKindAndBothHashes) {
  const ByteBuffer header(32, 'h'), content(32, 'c');
  const auto message = signature_message(ObjectKind::snapshot, header, content);
  EXPECT_EQ(as_text(message), "mbu v1 signatureS" + std::string(32, 'h') + std::string(32, 'c'));
}

}  // namespace
}  // namespace mbu::format
