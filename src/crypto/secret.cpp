#include "crypto/secret.hpp"

#include <sodium.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/random.hpp"

namespace mbu::crypto {

namespace {

class Slots {
 public:
  void* take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      auto* const pages = static_cast<std::uint8_t*>(allocate_locked(kPages));
      free_.reserve(free_.capacity() + kPages / kSlot);  // so that give() never allocates
      for (std::size_t at = kPages; at > 0; at -= kSlot) free_.push_back(pages + at - kSlot);
    }
    void* const slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give(void* slot) noexcept {
    sodium_memzero(slot, kSlot);
    const std::scoped_lock lock(mutex_);
    free_.push_back(slot);
  }

 private:
  static constexpr std::size_t kPages = 16'384;
  std::mutex mutex_;
  std::vector<void*> free_;
};

// Lives for ever: secrets may be freed when the process ends.
Slots& slots() {
  static auto* const all = new Slots;
  return *all;
}

}  // namespace

void* allocate_slot() { return slots().take(); }
void free_slot(void* slot) noexcept { slots().give(slot); }

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
