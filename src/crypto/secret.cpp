#include "crypto/secret.hpp"

#include <sodium.h>

#include <cstdlib>

#include "base/random.hpp"

namespace mbu::crypto {

void* allocate_locked(std::size_t size) {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();
  void* memory = sodium_malloc(size);
  if (memory == nullptr) {
    throw Error(Code::failed, "no locked memory is left for a secret", {}, "raise the limit: ulimit -l");
  }
  return memory;
}

void free_locked(void* memory) noexcept { sodium_free(memory); }

Key key_from(ByteView bytes) {
  Key key;
  std::memcpy(key.expose().data(), bytes.data(), key.expose().size());
  return key;
}

Key random_key() {
  Key key;
  fill_random(key.expose());
  return key;
}

void wipe(MutableBytes bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mbu::crypto
