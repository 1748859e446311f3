#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "mbu/types/error.hpp"
#include "mbu/types/watch.hpp"

namespace mbu {

WatchControl::WatchControl() {
  if (::pipe(pipe_) != 0) throw Error(Code::failed, "cannot make a pipe", {}, {}, errno);
  for (const int fd : pipe_) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
}

WatchControl::~WatchControl() {
  for (const int fd : pipe_) ::close(fd);
}

void WatchControl::stop() noexcept {
  if (!stopping_.exchange(true)) wake();
}

void WatchControl::reload() noexcept {
  if (!reloading_.exchange(true)) wake();
}

void WatchControl::wake() noexcept {
  const int before = errno;
  static_cast<void>(!::write(pipe_[1], "w", 1));
  errno = before;
}

bool WatchControl::take_reload() noexcept {
  char bytes[16];
  while (::read(pipe_[0], bytes, sizeof bytes) > 0) {
  }
  if (stopping()) wake();  // that byte stays there: readable for ever
  return reloading_.exchange(false);
}

}  // namespace mbu
