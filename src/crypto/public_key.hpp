// Signatures (Ed25519, RFC 8032) and sealed boxes (X25519, RFC 7748; libsodium's crypto_box_seal).
// Pure functions; any thread.
#pragma once

#include <array>

#include "crypto/secret.hpp"

namespace mbu::crypto {

using Signature = std::array<std::uint8_t, 64>;

// An Ed25519 key pair made from its 32-byte seed.
class SigningKey {
 public:
  explicit SigningKey(const Key& seed);
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  Secret<std::array<std::uint8_t, 64>> secret_;
  PublicKey public_key_;
};

[[nodiscard]] bool verify(const PublicKey& signer, ByteView message, const Signature& signature) noexcept;

// The X25519 public key of a secret.
[[nodiscard]] PublicKey sealing_public_key(const Key& secret);

inline constexpr std::size_t kSealedKeySize = 80;
// Only who holds the secret of `recipient` can open it; the sender cannot.
[[nodiscard]] ByteBuffer seal_key(const PublicKey& recipient, const Key& key);
// Throws Code::corrupt naming `subject` when it was not sealed to this pair.
[[nodiscard]] Key open_sealed_key(const Key& secret, const PublicKey& own, ByteView sealed, const std::string& subject);

}  // namespace mbu::crypto
