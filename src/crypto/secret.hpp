// Secret<T>: bytes in locked, guarded memory that are zeroed when they go. Cannot be copied or printed; clone() says aloud
// that there will be two. Any thread, as far as one object is not written by two.
#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "base/bytes.hpp"

namespace mbu::crypto {

// Locked memory between guard pages; zeroed and unmapped when freed. Throws Code::failed when none is to be had.
[[nodiscard]] void* allocate_locked(std::size_t size);
void free_locked(void* memory) noexcept;

// The same for up to kSlot bytes, which share their pages with others like them: keys come and go by the thousand, one for each object that is
// read, and pages of one's own take ten system calls. Zeroed when given back.
inline constexpr std::size_t kSlot = 64;
[[nodiscard]] void* allocate_slot();
void free_slot(void* slot) noexcept;

template <class T>
  requires std::is_trivially_copyable_v<T>
class Secret {
 public:
  Secret() : value_(static_cast<T*>(kSmall ? allocate_slot() : allocate_locked(sizeof(T)))) { *value_ = T{}; }
  Secret(Secret&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret() {
    if (value_ != nullptr) kSmall ? free_slot(value_) : free_locked(value_);
  }

  // Precondition: not moved from.
  [[nodiscard]] const T& expose() const noexcept { return *value_; }
  [[nodiscard]] T& expose() noexcept { return *value_; }

  [[nodiscard]] Secret clone() const {
    Secret copy;
    *copy.value_ = *value_;
    return copy;
  }

 private:
  static constexpr bool kSmall = sizeof(T) <= kSlot;
  T* value_;
};

// So many bytes in locked memory, overwritten when they go.
class LockedBytes {
 public:
  explicit LockedBytes(std::size_t size) : memory_(static_cast<std::uint8_t*>(allocate_locked(size))), size_(size) {}
  LockedBytes(const LockedBytes&) = delete;
  LockedBytes& operator=(const LockedBytes&) = delete;
  ~LockedBytes() { free_locked(memory_); }
  [[nodiscard]] MutableBytes bytes() const noexcept { return {memory_, size_}; }

 private:
  std::uint8_t* memory_;
  std::size_t size_;
};

using Key = Secret<std::array<std::uint8_t, 32>>;

[[nodiscard]] inline ByteView view(const Key& key) noexcept { return key.expose(); }

// A key from 32 bytes that lie elsewhere. Precondition: bytes.size() == 32.
[[nodiscard]] Key key_from(ByteView bytes);
// A new random key.
[[nodiscard]] Key random_key();

// Overwrites memory in a way that no optimiser removes.
void wipe(MutableBytes bytes) noexcept;
// Equality in time that depends on the length alone.
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace mbu::crypto
