#include "prompt.hpp"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

// The terminal to ask at, opened for itself: standard input may be a pipe with data in it.
class Terminal {
 public:
  Terminal() {
    const bool input = ::isatty(STDIN_FILENO) == 1;
    if (!input && ::isatty(STDERR_FILENO) != 1) return;
    fd_ = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd_ < 0 && input) fd_ = open_standard_input();
  }
  ~Terminal() {
    if (fd_ >= 0) ::close(fd_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }

  void write(std::string_view text) const noexcept {
    while (!text.empty()) {
      const ssize_t n = ::write(fd_, text.data(), text.size());
      if (n < 0 && errno != EINTR) return;
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  static int open_standard_input() noexcept {
    std::array<char, 256> name{};
    if (::ttyname_r(STDIN_FILENO, name.data(), name.size()) != 0) return -1;
    return ::open(name.data(), O_RDWR | O_CLOEXEC | O_NOCTTY);
  }

  int fd_ = -1;
};

// Echo off, and on again however the reading ends.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    changed_ = ::tcsetattr(fd_, TCSADRAIN, &silent) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(fd_, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

  [[nodiscard]] bool in_force() const noexcept { return changed_; }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

Password ask_once(const Terminal& terminal, const std::string& question, const Interrupt& interrupt) {
  terminal.write(question);
  std::array<char, 4096> line{};  // more than a terminal's line can hold
  std::size_t size = 0;
  bool ended = false;
  while (!ended && size < line.size() && !interrupt.raised()) {
    const ssize_t n = ::read(terminal.fd(), line.data() + size, line.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) size += static_cast<std::size_t>(n);
    ended = n <= 0 || line[size - 1] == '\n';
  }
  terminal.write("\n");
  const bool complete = size > 0 && line[size - 1] == '\n';
  if (complete) --size;
  Password password = Password::take(line.data(), size);
  ::explicit_bzero(line.data(), line.size());
  interrupt.check();
  if (!complete && size == 0) throw Error(Code::wrong_password, "no password was typed");
  return password;
}

}  // namespace

bool can_prompt() noexcept { return static_cast<bool>(Terminal()); }

Password prompt_password(const std::string& question, bool fresh, const Interrupt& interrupt) {
  const Terminal terminal;
  if (!terminal) throw Error(Code::wrong_password, "there is no terminal to ask for a password");
  const NoEcho no_echo(terminal.fd());
  if (!no_echo.in_force()) throw Error(Code::wrong_password, "cannot switch off the terminal's echo to ask for a password");
  Password password = ask_once(terminal, question, interrupt);
  if (fresh) {
    const Password again = ask_once(terminal, "the same again: ", interrupt);
    if (!password.equals(again)) throw Error(Code::wrong_password, "the two passwords differ");
  }
  return password;
}

}  // namespace mbu::cli
