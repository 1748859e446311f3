#include "ops/watch/wakeup.hpp"

#include <sys/epoll.h>

#include <cerrno>

namespace mbu::ops {

Wakeup::Wakeup() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw os::system_error({Code::failed, {}}, "watch for changes", errno);
}

void Wakeup::add(int descriptor, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return;
  throw os::system_error({Code::failed, {}}, "watch for changes", errno);
}

}  // namespace mbu::ops
