#include "crypto/aead.hpp"

#include <algorithm>
#include <limits>

#include "crypto/gcm.hpp"

namespace mbu::crypto {
namespace {

void require_length(ByteView bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error(Code::failed, "a message of 2 GiB or more cannot be encrypted at once");
  }
}

}  // namespace

Aead::Aead(const Key& key) : gcm_(make_ipsec_gcm(key)) {
  if (gcm_ == nullptr) gcm_ = make_openssl_gcm(key);
}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

Tag Aead::seal_in_place(const Nonce& nonce, ByteView additional, MutableBytes bytes) {
  return seal(nonce, additional, bytes, bytes);
}

Tag Aead::seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) {
  require_length(additional);
  require_length(plain);
  return gcm_->seal(nonce, additional, plain, sealed);
}

bool Aead::open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) {
  require_length(additional);
  require_length(sealed);
  if (gcm_->open(nonce, additional, sealed, tag, plain)) return true;
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
