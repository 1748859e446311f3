#include <openssl/evp.h>

#include <limits>

#include "crypto/gcm.hpp"

namespace mbu::crypto {
namespace {

const EVP_CIPHER* cipher() {
  // Fetched once: an implicit fetch costs a lock and a look-up at every use.
  static const EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return fetched;
}

void require(int result) {
  if (result != 1) throw Error(Code::failed, "OpenSSL failed to compute AES-256-GCM");
}

int length_of(ByteView bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error(Code::failed, "a message of 2 GiB or more cannot be encrypted at once");
  }
  return static_cast<int>(bytes.size());
}

class OpensslGcm final : public Gcm {
 public:
  explicit OpensslGcm(const Key& key) {
    require(EVP_EncryptInit_ex2(encrypt_, cipher(), key.expose().data(), nullptr, nullptr));
    require(EVP_DecryptInit_ex2(decrypt_, cipher(), key.expose().data(), nullptr, nullptr));
  }
  ~OpensslGcm() override {
    EVP_CIPHER_CTX_free(encrypt_);  // clears the key schedule
    EVP_CIPHER_CTX_free(decrypt_);
  }

  Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) override {
    int written = 0;
    require(EVP_EncryptInit_ex2(encrypt_, nullptr, nullptr, nonce.data(), nullptr));
    require(EVP_EncryptUpdate(encrypt_, nullptr, &written, additional.data(), length_of(additional)));
    if (!plain.empty()) require(EVP_EncryptUpdate(encrypt_, sealed.data(), &written, plain.data(), length_of(plain)));
    std::array<std::uint8_t, 16> rest;
    require(EVP_EncryptFinal_ex(encrypt_, rest.data(), &written));
    Tag tag;
    require(EVP_CIPHER_CTX_ctrl(encrypt_, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()));
    return tag;
  }

  bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) override {
    int written = 0;
    Tag expected = tag;
    require(EVP_DecryptInit_ex2(decrypt_, nullptr, nullptr, nonce.data(), nullptr));
    require(EVP_DecryptUpdate(decrypt_, nullptr, &written, additional.data(), length_of(additional)));
    if (!sealed.empty()) require(EVP_DecryptUpdate(decrypt_, plain.data(), &written, sealed.data(), length_of(sealed)));
    require(EVP_CIPHER_CTX_ctrl(decrypt_, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()), expected.data()));
    std::array<std::uint8_t, 16> rest;
    return EVP_DecryptFinal_ex(decrypt_, rest.data(), &written) == 1;
  }

 private:
  EVP_CIPHER_CTX* encrypt_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* decrypt_ = EVP_CIPHER_CTX_new();
};

}  // namespace

std::unique_ptr<Gcm> make_openssl_gcm(const Key& key) { return std::make_unique<OpensslGcm>(key); }

}  // namespace mbu::crypto
