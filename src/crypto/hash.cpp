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

EVP_MAC* poly1305_method() {
  static EVP_MAC* method = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  return method;
}

void require(int result, const char* what) {
  if (result != 1) throw Error(Code::failed, std::string("OpenSSL failed to compute ") + what);
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
  require(EVP_DigestInit_ex(context_->evp, sha256_method(), nullptr), "SHA-256");
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) { require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()), "SHA-256"); }

Digest Sha256::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr), "SHA-256");
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

Sum numbered_sum(const Key& key, std::uint64_t number, ByteView bytes) {
  // One a thread, made once and not for each message.
  static thread_local const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(poly1305_method()), &EVP_MAC_CTX_free);
  std::array<std::uint8_t, 8> numbered;
  write_integer(numbered, number);
  Digest once = keyed_hash(key, numbered);
  const int begun = EVP_MAC_init(context.get(), once.data(), once.size(), nullptr);
  sodium_memzero(once.data(), once.size());
  require(begun, "Poly1305");
  require(EVP_MAC_update(context.get(), bytes.data(), bytes.size()), "Poly1305");
  Sum sum;
  std::size_t written = 0;
  require(EVP_MAC_final(context.get(), sum.data(), &written, sum.size()), "Poly1305");
  return sum;
}

std::uint64_t short_hash(const std::array<std::uint8_t, 16>& key, ByteView bytes) noexcept {
  std::array<std::uint8_t, crypto_shorthash_BYTES> out;
  crypto_shorthash(out.data(), bytes.data(), bytes.size(), key.data());
  return load<std::uint64_t>(out);
}

}  // namespace mbu::crypto
