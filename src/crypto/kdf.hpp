// From a password to a key: Argon2id version 1.3 (RFC 9106, one lane) and PBKDF2-HMAC-SHA256 (RFC 8018).
// Pure functions; any thread. All memory used is unmapped on return.
#pragma once

#include <array>

#include "crypto/secret.hpp"

namespace mbu::crypto {

using Salt = std::array<std::uint8_t, 16>;

// Throws Code::failed when the memory is not to be had.
[[nodiscard]] Key argon2id(ByteView password, const Salt& salt, std::uint32_t memory_kib, std::uint32_t passes);
[[nodiscard]] Key pbkdf2_sha256(ByteView password, const Salt& salt, std::uint32_t iterations);

}  // namespace mbu::crypto
