#include "format/body.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "format/padme.hpp"

namespace mbu::format {
namespace {

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kTocGranularity = 64;
constexpr std::size_t kLengthsSize = 8;
constexpr std::string_view kSignatureContext = "mbu v1 signature";

void append_compressed(ByteBuffer& to, std::uint32_t plain_length, ByteView compressed, std::uint32_t largest) {
  // A frame may be a little longer than what it holds.
  const std::uint64_t longest = std::uint64_t{largest} + largest / 128;
  if (plain_length == 0 || plain_length > largest || compressed.empty() || compressed.size() > longest) {
    throw Error(Code::failed, "an object would be too large");
  }
  append(to, plain_length);
  append(to, static_cast<std::uint32_t>(compressed.size()));
  append(to, compressed);
}

// Reads what append_compressed() wrote.
struct Compressed {
  std::uint32_t plain_length;
  ByteView frame;
};
Compressed read_compressed(Reader& reader, std::uint32_t largest, const std::string& subject) {
  const auto plain_length = reader.integer<std::uint32_t>();
  if (plain_length == 0 || plain_length > largest) {
    throw Error(Code::corrupt, "has a decompressed length that is out of bounds", subject);
  }
  const auto length = reader.integer<std::uint32_t>();
  if (length == 0) throw Error(Code::corrupt, "holds nothing", subject);
  return {plain_length, reader.take(length)};
}

}  // namespace

ByteBuffer encode_signed_part(std::uint32_t plain_length, ByteView compressed) {
  ByteBuffer part;
  part.reserve(kLengthsSize + compressed.size());
  append_compressed(part, plain_length, compressed, kLargestBodyPlain);
  return part;
}

std::size_t padded_body_size(std::size_t header_size, std::size_t signed_part_size) noexcept {
  const std::size_t size = kBodyHeadSize + signed_part_size;
  const std::size_t around = header_size + kTagSize;
  if (around + size >= kPaddedBelow) return size;
  return static_cast<std::size_t>(padme(around + size)) - around;
}

ByteBuffer encode_body(const PublicKey& signer, const std::array<std::uint8_t, 64>& signature, ByteView signed_part,
                       std::size_t padded_total) {
  ByteBuffer body;
  body.reserve(std::max(padded_total, kBodyHeadSize + signed_part.size()));
  append(body, signer.view());
  append(body, ByteView(signature));
  append(body, signed_part);
  if (body.size() > padded_total) throw Error(Code::failed, "an object does not fit its padded size");
  body.resize(padded_total);
  return body;
}

SealedBody decode_body(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  SealedBody body;
  body.signer = reader.identifier<PublicKey>();
  const auto signature = reader.take(body.signature.size());
  std::copy(signature.begin(), signature.end(), body.signature.begin());
  const auto compressed = read_compressed(reader, kLargestBodyPlain, subject);
  body.plain_length = compressed.plain_length;
  body.compressed = compressed.frame;
  body.signed_part = bytes.subspan(kBodyHeadSize, kLengthsSize + compressed.frame.size());
  reader.expect_zero(reader.rest().size());
  return body;
}

ByteBuffer encode_sealed_toc_plain(const PublicKey& signer, std::uint32_t plain_length, ByteView compressed) {
  ByteBuffer toc;
  toc.reserve(PublicKey::kSize + kLengthsSize + compressed.size() + kTocGranularity);
  append(toc, signer.view());
  append_compressed(toc, plain_length, compressed, kLargestTocPlain);
  toc.resize((toc.size() + kTocGranularity - 1) / kTocGranularity * kTocGranularity);
  return toc;
}

SealedToc decode_sealed_toc_plain(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  SealedToc toc;
  toc.signer = reader.identifier<PublicKey>();
  const auto compressed = read_compressed(reader, kLargestTocPlain, subject);
  toc.plain_length = compressed.plain_length;
  toc.compressed = compressed.frame;
  if (bytes.size() % kTocGranularity != 0 || reader.rest().size() >= kTocGranularity) {
    throw Error(Code::corrupt, "is not padded as it must be", subject);
  }
  reader.expect_zero(reader.rest().size());
  return toc;
}

std::array<std::uint8_t, kSignatureMessageSize> signature_message(ObjectKind kind, ByteView header_hash,
                                                                  ByteView content_hash) {
  std::array<std::uint8_t, kSignatureMessageSize> message{};
  auto to = std::copy(kSignatureContext.begin(), kSignatureContext.end(), message.begin());
  *to++ = static_cast<std::uint8_t>(kind);
  to = std::copy_n(header_hash.begin(), 32, to);
  std::copy_n(content_hash.begin(), 32, to);
  return message;
}

}  // namespace mbu::format
