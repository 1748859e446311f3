// AES-256-GCM (NIST SP 800-38D) with detached tags. An Aead holds one key and its prepared context; one thread at a time.
// Who calls seal() owns the nonces: no pair of key and nonce may ever be used twice.
#pragma once

#include <array>
#include <memory>

#include "crypto/secret.hpp"

namespace mbu::crypto {

using Nonce = std::array<std::uint8_t, 12>;
using Tag = std::array<std::uint8_t, 16>;

// For keys that seal one message only.
inline constexpr Nonce kZeroNonce{};

class Gcm;

class Aead {
 public:
  explicit Aead(const Key& key);
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  ~Aead();

  // Encrypts into `sealed` (same size as `plain`, may be the same memory).
  [[nodiscard]] Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed);
  // Encrypts `bytes` in place.
  [[nodiscard]] Tag seal_in_place(const Nonce& nonce, ByteView additional, MutableBytes bytes);
  // Decrypts into `plain` (same size as `sealed`, may be the same memory). False when the tag does not fit: `plain` is then zeroed.
  [[nodiscard]] bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain);

 private:
  std::unique_ptr<Gcm> gcm_;
};

// One message under a key of its own: ciphertext ‖ tag.
[[nodiscard]] ByteBuffer seal_once(const Key& key, ByteView additional, ByteView plain);
// Its inverse. Throws Code::corrupt naming `subject` when the tag does not fit.
[[nodiscard]] ByteBuffer open_once(const Key& key, ByteView additional, ByteView sealed, const std::string& subject);

}  // namespace mbu::crypto
