#include "crypto/hash.hpp"

#include <blake3.h>
#include <openssl/evp.h>
#include <sodium.h>

namespace mbu::crypto {
namespace {

const EVP_MD* sha256_method() {
  // Fetched once: an implicit fetch costs a lock and a look-up at every use.
  static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

void require(int result) {
  if (result != 1) throw Error(Code::failed, "OpenSSL failed to compute SHA-256");
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(EVP_DigestInit_ex(context_->evp, sha256_method(), nullptr));
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) { require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size())); }

Digest Sha256::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr));
  return digest;
}

Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest keyed_hash(const Key& key, ByteView bytes) {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, key.expose().data());
  blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  Digest digest;
  blake3_hasher_finalize(&hasher, digest.data(), digest.size());
  return digest;
}

Key derive(std::string_view context, std::initializer_list<ByteView> material) {
  blake3_hasher hasher;
  blake3_hasher_init_derive_key_raw(&hasher, context.data(), context.size());
  for (const auto piece : material) blake3_hasher_update(&hasher, piece.data(), piece.size());
  Key key;
  blake3_hasher_finalize(&hasher, key.expose().data(), key.expose().size());
  sodium_memzero(&hasher, sizeof hasher);
  return key;
}

void expand(const Key& key, MutableBytes out) {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, key.expose().data());
  blake3_hasher_finalize(&hasher, out.data(), out.size());
  sodium_memzero(&hasher, sizeof hasher);
}

std::uint64_t short_hash(const std::array<std::uint8_t, 16>& key, ByteView bytes) noexcept {
  std::array<std::uint8_t, crypto_shorthash_BYTES> out;
  crypto_shorthash(out.data(), bytes.data(), bytes.size(), key.data());
  return load<std::uint64_t>(out);
}

}  // namespace mbu::crypto
