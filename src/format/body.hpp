// What is inside the seals: the plaintext of a body (FORMAT.md §6) and of a sealed toc (§7), and what signatures cover.
// No crypto here: the caller signs, verifies, compresses and seals. Pure functions; any thread.
#pragma once

#include "format/header.hpp"

namespace mbu::format {

inline constexpr std::uint32_t kLargestBodyPlain = 1024 * 1024 * 1024;
// Room for a toc of the most blocks and chunks a pack may have.
inline constexpr std::uint32_t kLargestTocPlain = 160 * 1024 * 1024;
inline constexpr std::size_t kBodyHeadSize = 96;  // signer and signature

// A decoded body. The views point into the bytes that were decoded.
struct SealedBody {
  PublicKey signer;
  std::array<std::uint8_t, 64> signature{};
  std::uint32_t plain_length = 0;  // after decompression, 1 to kLargestBodyPlain
  ByteView compressed;
  ByteView signed_part;  // x[96..104+z): its hash is what the signature covers
};

// x[96..104+z). Throws Code::failed when a length is out of bounds.
[[nodiscard]] ByteBuffer encode_signed_part(std::uint32_t plain_length, ByteView compressed);
// The size of x that makes an object with this header as long as FORMAT.md §6 wants it: what encode_body() takes.
[[nodiscard]] std::size_t padded_body_size(std::size_t header_size, std::size_t signed_part_size) noexcept;
// x: signer, signature, signed part, zero bytes up to `padded_total` bytes of x.
[[nodiscard]] ByteBuffer encode_body(const PublicKey& signer, const std::array<std::uint8_t, 64>& signature,
                                     ByteView signed_part, std::size_t padded_total);
// Throws Code::corrupt. The signature is for the caller to verify before anything of the body is used.
[[nodiscard]] SealedBody decode_body(ByteView bytes, const std::string& subject);

// A decoded toc plaintext `t`; the view points into the bytes that were decoded.
struct SealedToc {
  PublicKey signer;
  std::uint32_t plain_length = 0;  // after decompression, 1 to kLargestTocPlain
  ByteView compressed;
};

// t, padded to a multiple of 64. Throws Code::failed when a length is out of bounds.
[[nodiscard]] ByteBuffer encode_sealed_toc_plain(const PublicKey& signer, std::uint32_t plain_length,
                                                 ByteView compressed);
[[nodiscard]] SealedToc decode_sealed_toc_plain(ByteView bytes, const std::string& subject);

// What is signed: ASCII `mbu v1 signature`, the kind's byte, HH, and the hash of the signed part (of a pack: of the
// sealed toc). Both hashes are 32 bytes.
inline constexpr std::size_t kSignatureMessageSize = 16 + 1 + 32 + 32;
[[nodiscard]] std::array<std::uint8_t, kSignatureMessageSize> signature_message(ObjectKind kind, ByteView header_hash,
                                                                                 ByteView content_hash);

}  // namespace mbu::format
