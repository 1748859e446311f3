// Password (include/mbu/types/password.hpp) on libsodium's locked memory. An empty password has no memory of its own.
#include "mbu/types/password.hpp"

#include <cstring>
#include <utility>

#include "crypto/secret.hpp"

namespace mbu {

Password Password::take(char* bytes, std::size_t size) {
  Password password;
  if (size == 0) return password;
  password.memory_ = crypto::allocate_locked(size);
  password.size_ = size;
  std::memcpy(password.memory_, bytes, size);
  crypto::wipe({reinterpret_cast<std::uint8_t*>(bytes), size});
  return password;
}

Password::Password(Password&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Password& Password::operator=(Password&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

Password::~Password() {
  if (memory_ != nullptr) crypto::free_locked(memory_);
}

ByteView Password::view() const noexcept { return {static_cast<const std::uint8_t*>(memory_), size_}; }

bool Password::equals(const Password& other) const noexcept {
  return crypto::equal_in_constant_time(view(), other.view());
}

Password Password::clone() const {
  Password copy;
  if (size_ == 0) return copy;
  copy.memory_ = crypto::allocate_locked(size_);
  copy.size_ = size_;
  std::memcpy(copy.memory_, memory_, size_);
  return copy;
}

}  // namespace mbu
