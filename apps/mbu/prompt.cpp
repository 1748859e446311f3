#include "prompt.hpp"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
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

// While in force: no echo, and what would stop the program (Ctrl-Z, or reading while it is in the background) is only noted, so
// that the echo can be switched on before and off again after. As readpassphrase(3) does it.
class Silence {
 public:
  explicit Silence(int fd) : fd_(fd) {}
  ~Silence() { end(); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  // `action`: of tcsetattr(3), what becomes of input that nobody has read yet. False: the echo stays on.
  [[nodiscard]] bool begin(int action) {
    for (std::size_t i = 0; i < kStops.size(); ++i) catch_stop(kStops[i], former_[i]);
    watching_ = true;
    if (::tcgetattr(fd_, &before_) != 0) return false;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    changed_ = set(action, silent);
    return changed_;
  }
  void end() noexcept {
    if (changed_) set(TCSANOW, before_);
    changed_ = false;
    if (!watching_) return;
    for (std::size_t i = 0; i < kStops.size(); ++i) ::sigaction(kStops[i], &former_[i], nullptr);
    watching_ = false;
  }

  [[nodiscard]] bool in_force() const noexcept { return changed_; }
  [[nodiscard]] static bool stop_noted() noexcept { return noted_ != 0; }
  // Stops the program, as was asked, and returns once it goes on. Not while in force.
  static void stop() noexcept {
    const int number = noted_;
    noted_ = 0;
    ::kill(::getpid(), number);
  }

 private:
  static constexpr std::array<int, 3> kStops{SIGTSTP, SIGTTIN, SIGTTOU};

  static void note(int number) { noted_ = number; }
  static void catch_stop(int number, struct sigaction& former) {
    struct sigaction action {};
    action.sa_handler = note;  // no SA_RESTART: the read must end
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, nullptr, &former);
    if (former.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
  bool set(int action, const termios& wanted) const noexcept {
    while (::tcsetattr(fd_, action, &wanted) != 0) {
      if (errno != EINTR || stop_noted()) return false;
    }
    return true;
  }

  static inline volatile std::sig_atomic_t noted_ = 0;

  int fd_;
  termios before_{};
  std::array<struct sigaction, kStops.size()> former_{};
  bool watching_ = false;
  bool changed_ = false;
};

// Nothing when the program is to be stopped first.
std::optional<Password> read_line(const Terminal& terminal, const Interrupt& interrupt) {
  std::array<char, 4096> line{};  // more than a terminal's line can hold
  std::size_t size = 0;
  bool ended = false;
  while (!ended && size < line.size() && !interrupt.raised() && !Silence::stop_noted()) {
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
  if (!complete && Silence::stop_noted()) return std::nullopt;
  if (!complete && size == 0) throw Error(Code::wrong_password, "no password was typed");
  return password;
}

Password ask_once(const Terminal& terminal, Silence& silence, const std::string& question, const Interrupt& interrupt) {
  for (int action = TCSADRAIN;; action = TCSAFLUSH) {  // what was typed before it went on was seen
    if (silence.in_force() || silence.begin(action)) {
      terminal.write(question);
      if (auto password = read_line(terminal, interrupt)) return std::move(*password);
    } else if (!Silence::stop_noted()) {
      interrupt.check();
      throw Error(Code::wrong_password, "cannot switch off the terminal's echo to ask for a password");
    }
    silence.end();
    Silence::stop();
    interrupt.check();
  }
}

}  // namespace

bool can_prompt() noexcept { return static_cast<bool>(Terminal()); }

Password prompt_password(const std::string& question, bool fresh, const Interrupt& interrupt) {
  const Terminal terminal;
  if (!terminal) throw Error(Code::wrong_password, "there is no terminal to ask for a password");
  Silence silence(terminal.fd());
  Password password = ask_once(terminal, silence, question, interrupt);
  if (fresh) {
    const Password again = ask_once(terminal, silence, "the same again: ", interrupt);
    if (!password.equals(again)) throw Error(Code::wrong_password, "the two passwords differ", {}, "run the command again");
  }
  return password;
}

}  // namespace mbu::cli
