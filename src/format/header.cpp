#include "format/header.hpp"

#include "base/bytes.hpp"

namespace mbu::format {
namespace {

constexpr std::string_view kMagic = "MBU";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kSuite = 1;

constexpr bool has_own_domain(ObjectKind kind) noexcept {
  return kind != ObjectKind::statement && kind != ObjectKind::lock;
}

constexpr std::size_t sealed_key_size(ObjectKind kind) noexcept { return header_size(kind) - kSharedHeaderSize; }

}  // namespace

ByteBuffer encode_header_prefix(const ObjectHeader& header) {
  if (!has_own_domain(header.kind) && header.domain != kMainDomain) {
    throw Error(Code::failed, "statements and locks belong to the main domain");
  }
  ByteBuffer bytes;
  bytes.reserve(kSealedHeaderSize);
  append(bytes, as_bytes(kMagic));
  append(bytes, static_cast<std::uint8_t>(header.kind));
  append(bytes, kVersion);
  append(bytes, kSuite);
  append(bytes, header.repository.view());
  append(bytes, header.domain.view());
  append(bytes, header.generation);
  append(bytes, static_cast<std::uint16_t>(header.mode()));
  append(bytes, static_cast<std::uint16_t>(sealed_key_size(header.kind)));
  append(bytes, ByteView(header.random));
  return bytes;
}

ByteBuffer encode_header(const ObjectHeader& header) {
  if (header.sealed_key.size() != sealed_key_size(header.kind)) {
    throw Error(Code::failed, "the sealed key's length does not fit the kind of object");
  }
  auto bytes = encode_header_prefix(header);
  append(bytes, ByteView(header.commitment));
  append(bytes, header.sealed_key);
  return bytes;
}

ObjectHeader decode_header(ByteView file_start, ObjectKind expected, const std::string& subject) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw Error(Code::corrupt, what, subject);
  };
  Reader reader(file_start, subject);
  ObjectHeader header;
  header.kind = expected;
  require(as_text(reader.take(kMagic.size())) == kMagic &&
              reader.integer<std::uint8_t>() == static_cast<std::uint8_t>(expected),
          "does not begin like an object of its kind");
  require(reader.integer<std::uint16_t>() == kVersion && reader.integer<std::uint16_t>() == kSuite,
          "has a version or suite that is not known");
  header.repository = reader.identifier<RepositoryId>();
  header.domain = reader.identifier<DomainId>();
  require(has_own_domain(expected) || header.domain == kMainDomain, "is not in the main domain");
  header.generation = reader.integer<std::uint32_t>();
  require(reader.integer<std::uint16_t>() == static_cast<std::uint16_t>(header.mode()),
          "has a key mode that does not fit its kind");
  require(reader.integer<std::uint16_t>() == sealed_key_size(expected), "has a sealed key of the wrong length");
  const auto random = reader.take(header.random.size());
  std::copy(random.begin(), random.end(), header.random.begin());
  const auto commitment = reader.take(header.commitment.size());
  std::copy(commitment.begin(), commitment.end(), header.commitment.begin());
  const auto sealed_key = reader.take(sealed_key_size(expected));
  header.sealed_key.assign(sealed_key.begin(), sealed_key.end());
  return header;
}

std::optional<DomainId> claimed_domain(ByteView file_start) noexcept {
  constexpr std::size_t kOffset = 40;
  if (file_start.size() < kHeaderPrefixSize) return std::nullopt;
  return DomainId::from(file_start.subspan(kOffset, DomainId::kSize));
}

std::optional<std::uint32_t> claimed_generation(ByteView file_start) noexcept {
  constexpr std::size_t kOffset = 56;
  if (file_start.size() < kHeaderPrefixSize) return std::nullopt;
  return load<std::uint32_t>(file_start.subspan(kOffset));
}

}  // namespace mbu::format
