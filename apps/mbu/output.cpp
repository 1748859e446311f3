#include "output.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;

// 0, or the errno of the write that failed.
int write_fully(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

[[noreturn]] void end_by_closed_pipe() {
  ::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
  std::_Exit(1);  // it is blocked
}

}  // namespace

void Output::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferSize) flush();
}

void Output::line(std::string_view text) {
  buffer_ += text;
  write("\n");
}

void Output::flush() {
  if (failure_ == 0) failure_ = write_fully(STDOUT_FILENO, buffer_);
  buffer_.clear();
  if (failure_ == EPIPE) end_by_closed_pipe();
  if (failure_ != 0) {
    throw Error(Code::failed, "cannot write: " + std::generic_category().message(failure_), "standard output", {}, failure_);
  }
}

void Output::offer_line(std::string_view text) noexcept {
  if (failure_ != 0) return;
  try {
    buffer_ += text;
    buffer_ += '\n';
    failure_ = write_fully(STDOUT_FILENO, buffer_);
    buffer_.clear();
  } catch (const std::exception&) {
    failure_ = ENOMEM;
  }
}

void write_to_error(std::string_view text) noexcept { (void)write_fully(STDERR_FILENO, text); }

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

}  // namespace mbu::cli
