#include "crypto/public_key.hpp"

#include <sodium.h>

namespace mbu::crypto {

static_assert(kSealedKeySize == crypto_box_SEALBYTES + 32);

SigningKey::SigningKey(const Key& seed) {
  crypto_sign_seed_keypair(public_key_.bytes.data(), secret_.expose().data(), seed.expose().data());
}

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.expose().data());
  return signature;
}

bool verify(const PublicKey& signer, ByteView message, const Signature& signature) noexcept {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), signer.bytes.data()) == 0;
}

PublicKey sealing_public_key(const Key& secret) {
  PublicKey key;
  crypto_scalarmult_base(key.bytes.data(), secret.expose().data());
  return key;
}

ByteBuffer seal_key(const PublicKey& recipient, const Key& key) {
  ByteBuffer sealed(kSealedKeySize);
  if (crypto_box_seal(sealed.data(), key.expose().data(), key.expose().size(), recipient.bytes.data()) != 0) {
    throw Error(Code::failed, "the sealing public key is not usable");
  }
  return sealed;
}

Key open_sealed_key(const Key& secret, const PublicKey& own, ByteView sealed, const std::string& subject) {
  Key key;
  if (sealed.size() != kSealedKeySize ||
      crypto_box_seal_open(key.expose().data(), sealed.data(), sealed.size(), own.bytes.data(),
                           secret.expose().data()) != 0) {
    throw Error(Code::corrupt, "its key does not open: it was altered or belongs to another repository", subject);
  }
  return key;
}

}  // namespace mbu::crypto
