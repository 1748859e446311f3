// Wakeup: one descriptor that is readable when one of several is. One thread.
#pragma once

#include <cstdint>

#include "os/file.hpp"

namespace mbu::ops {

class Wakeup {
 public:
  // Code::failed when there are no more descriptors.
  Wakeup();

  [[nodiscard]] int descriptor() const noexcept { return epoll_.get(); }
  // `events` as for epoll(7). It ends by itself when the descriptor is closed.
  void add(int descriptor, std::uint32_t events);

 private:
  os::Fd epoll_;
};

}  // namespace mbu::ops
