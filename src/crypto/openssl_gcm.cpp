#include <openssl/evp.h>

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

int length_of(ByteView bytes) { return static_cast<int>(bytes.size()); }

// Clears the key schedule.
struct Free {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

class OpensslGcm final : public Gcm {
 public:
  explicit OpensslGcm(const Key& key) {
    require(EVP_EncryptInit_ex2(encrypt_.get(), cipher(), key.expose().data(), nullptr, nullptr));
    require(EVP_DecryptInit_ex2(decrypt_.get(), cipher(), key.expose().data(), nullptr, nullptr));
  }

  Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) override {
    auto* const evp = encrypt_.get();
    int written = 0;
    require(EVP_EncryptInit_ex2(evp, nullptr, nullptr, nonce.data(), nullptr));
    require(EVP_EncryptUpdate(evp, nullptr, &written, additional.data(), length_of(additional)));
    if (!plain.empty()) require(EVP_EncryptUpdate(evp, sealed.data(), &written, plain.data(), length_of(plain)));
    std::array<std::uint8_t, 16> rest;
    require(EVP_EncryptFinal_ex(evp, rest.data(), &written));
    Tag tag;
    require(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()));
    return tag;
  }

  bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) override {
    auto* const evp = decrypt_.get();
    int written = 0;
    Tag expected = tag;
    require(EVP_DecryptInit_ex2(evp, nullptr, nullptr, nonce.data(), nullptr));
    require(EVP_DecryptUpdate(evp, nullptr, &written, additional.data(), length_of(additional)));
    if (!sealed.empty()) require(EVP_DecryptUpdate(evp, plain.data(), &written, sealed.data(), length_of(sealed)));
    require(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()), expected.data()));
    std::array<std::uint8_t, 16> rest;
    return EVP_DecryptFinal_ex(evp, rest.data(), &written) == 1;
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, Free> encrypt_{EVP_CIPHER_CTX_new()}, decrypt_{EVP_CIPHER_CTX_new()};
};

}  // namespace

std::unique_ptr<Gcm> make_openssl_gcm(const Key& key) { return std::make_unique<OpensslGcm>(key); }

}  // namespace mbu::crypto
