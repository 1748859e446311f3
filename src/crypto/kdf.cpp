#include "crypto/kdf.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <string>

namespace mbu::crypto {

static_assert(sizeof(Salt) == crypto_pwhash_argon2id_SALTBYTES);

namespace {

// The libraries take no null pointer, not even for no bytes.
const char* characters(ByteView password) {
  return password.empty() ? "" : reinterpret_cast<const char*>(password.data());
}

}  // namespace

Key argon2id(ByteView password, const Salt& salt, std::uint32_t memory_kib, std::uint32_t passes) {
  Key key;
  if (crypto_pwhash_argon2id(key.expose().data(), key.expose().size(), characters(password), password.size(),
                             salt.data(), passes, std::size_t{memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    throw Error(Code::failed, "Argon2id got no " + std::to_string(memory_kib / 1024) + " MiB of memory");
  }
  return key;
}

Key pbkdf2_sha256(ByteView password, const Salt& salt, std::uint32_t iterations) {
  Key key;
  if (PKCS5_PBKDF2_HMAC(characters(password), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(key.expose().size()), key.expose().data()) != 1) {
    throw Error(Code::failed, "OpenSSL failed to compute PBKDF2");
  }
  return key;
}

}  // namespace mbu::crypto
