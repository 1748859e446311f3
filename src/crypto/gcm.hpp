// What computes AES-256-GCM for an Aead, with one key; private to crypto/. Two libraries can, and their results are the same: OpenSSL everywhere, and
// Intel's Multi-Buffer library on x86, which has wider instructions for it and less to do for short messages (docs/decisions/0011).
#pragma once

#include <memory>

#include "crypto/aead.hpp"

namespace mbu::crypto {

// One thread at a time. Key schedules are cleared when it goes. Messages and additional data are shorter than 2 GiB.
class Gcm {
 public:
  Gcm() = default;
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;
  virtual ~Gcm() = default;
  // As those of Aead.
  [[nodiscard]] virtual Tag seal(const Nonce& nonce, ByteView additional, ByteView plain, MutableBytes sealed) = 0;
  // False when the tag does not fit; what is in `plain` then must not be used.
  [[nodiscard]] virtual bool open(const Nonce& nonce, ByteView additional, ByteView sealed, const Tag& tag, MutableBytes plain) = 0;
};

[[nodiscard]] std::unique_ptr<Gcm> make_openssl_gcm(const Key& key);

// Which of its code Intel's library runs: the best for this processor, or no more than AVX2.
enum class Vectors { widest, avx2 };
// Null where the library was not there when mbu was built, is another version now, lacks what it needs of the processor, or failed its self-test.
[[nodiscard]] std::unique_ptr<Gcm> make_ipsec_gcm(const Key& key, Vectors vectors = Vectors::widest);

}  // namespace mbu::crypto
