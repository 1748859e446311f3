#include "format/config.hpp"

#include "base/bytes.hpp"

namespace mbu::format {
namespace {

constexpr std::string_view kMagic = "MBUCONF1";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kSuite = 1;

}  // namespace

ByteBuffer encode_config_head(const Config& config) {
  ByteBuffer head;
  head.reserve(kConfigSize);
  append(head, as_bytes(kMagic));
  append(head, kVersion);
  append(head, kSuite);
  append(head, std::uint32_t{0});
  append(head, config.repository.view());
  append(head, config.owner.view());
  return head;
}

DecodedConfig decode_config(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  if (as_text(reader.take(kMagic.size())) != kMagic) throw Error(Code::corrupt, "is not a repository's config", subject);
  const auto version = reader.integer<std::uint16_t>();
  const auto suite = reader.integer<std::uint16_t>();
  // Before anything else: of what follows a newer version may think differently.
  if (version != kVersion || suite != kSuite) {
    throw Error(Code::failed, "was made by a newer mbu", subject, "update mbu");
  }
  reader.expect_zero(4);
  DecodedConfig decoded;
  decoded.config.repository = reader.identifier<RepositoryId>();
  decoded.config.owner = reader.identifier<PublicKey>();
  decoded.head = bytes.first(kConfigHeadSize);
  decoded.checksum = reader.take(kConfigSize - kConfigHeadSize);
  if (!reader.rest().empty()) throw Error(Code::corrupt, "is too long", subject);
  return decoded;
}

}  // namespace mbu::format
