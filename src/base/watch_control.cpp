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
  const int before = errno;
  if (!stopping_.exchange(true)) static_cast<void>(!::write(pipe_[1], "q", 1));  // stays there: readable for ever
  errno = before;
}

}  // namespace mbu
