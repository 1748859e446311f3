#include "crypto/aead.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>

namespace mbu::crypto {
namespace {

const EVP_CIPHER* gcm() {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
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

}  // namespace

struct Aead::Context {
  EVP_CIPHER_CTX* encrypt = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* decrypt = EVP_CIPHER_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    EVP_CIPHER_CTX_free(encrypt);  // cleanses the key schedule
    EVP_CIPHER_CTX_free(decrypt);
  }
};

Aead::Aead(const Key& key) : context_(std::make_unique<Context>()) {
  require(EVP_EncryptInit_ex2(context_->encrypt, gcm(), key.expose().data(), nullptr, nullptr));
  require(EVP_DecryptInit_ex2(context_->decrypt, gcm(), key.expose().data(), nullptr, nullptr));
}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

Tag Aead::seal_in_place(const Nonce& nonce, ByteView additional, MutableBytes bytes) {
  return seal(nonce, additional, bytes, bytes);
}

Tag Aead::seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) {
  auto* evp = context_->encrypt;
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

bool Aead::open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) {
  auto* evp = context_->decrypt;
  int written = 0;
  Tag expected = tag;
  require(EVP_DecryptInit_ex2(evp, nullptr, nullptr, nonce.data(), nullptr));
  require(EVP_DecryptUpdate(evp, nullptr, &written, additional.data(), length_of(additional)));
  if (!sealed.empty()) require(EVP_DecryptUpdate(evp, plain.data(), &written, sealed.data(), length_of(sealed)));
  require(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()), expected.data()));
  std::array<std::uint8_t, 16> rest;
  if (EVP_DecryptFinal_ex(evp, rest.data(), &written) == 1) return true;
  std::ranges::fill(plain, std::uint8_t{0});
  return false;
}

ByteBuffer seal_once(const Key& key, ByteView additional, ByteView plain) {
  ByteBuffer sealed;
  sealed.reserve(plain.size() + sizeof(Tag));
  append(sealed, plain);
  const Tag tag = Aead(key).seal_in_place(kZeroNonce, additional, sealed);
  append(sealed, tag);
  return sealed;
}

ByteBuffer open_once(const Key& key, ByteView additional, ByteView sealed, const std::string& subject) {
  if (sealed.size() < sizeof(Tag)) throw Error(Code::corrupt, "is cut short", subject);
  const auto cipher = sealed.first(sealed.size() - sizeof(Tag));
  Tag tag;
  std::ranges::copy(sealed.last(sizeof(Tag)), tag.begin());
  ByteBuffer plain(cipher.size());
  if (!Aead(key).open(kZeroNonce, additional, cipher, tag, plain)) {
    throw Error(Code::corrupt, "does not decrypt: it was altered or is not what it should be", subject);
  }
  return plain;
}

}  // namespace mbu::crypto
