#include "keys/password_source.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "crypto/secret.hpp"
#include "os/file.hpp"

namespace mbu::keys {
namespace {

using Line = std::array<char, kLongestPassword + 2>;  // with CR and LF

Error unusable(const std::string& what, const std::string& subject) {
  return Error(Code::wrong_password, what, subject);
}

// The first line that `fd` gives. A read of one byte at a time is slow, and right: passwords are short.
Password read_line(int fd, const std::string& subject) {
  crypto::Secret<Line> line;
  char* const text = line.expose().data();
  std::size_t size = 0;
  while (true) {
    const ssize_t n = ::read(fd, text + size, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw os::system_error({Code::wrong_password, subject}, "read the password", errno);
    if (n == 0 || text[size] == '\n') break;
    if (++size == line.expose().size()) break;
  }
  if (size > 0 && text[size - 1] == '\r') --size;
  if (size > kLongestPassword) {
    throw unusable("the password is longer than " + std::to_string(kLongestPassword) + " bytes", subject);
  }
  return Password::take(text, size);
}

Password from_file(const std::string& path) {
  const os::Blame blame{Code::wrong_password, path};
  const os::Fd file = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOCTTY, 0, blame);
  return read_line(file.get(), path);
}

// Runs in the child between fork and exec: only calls that are safe there.
[[noreturn]] void become_shell(const char* command, int output) {
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  if (::dup2(output, STDOUT_FILENO) >= 0) ::execl("/bin/sh", "sh", "-c", command, nullptr);
  ::_exit(127);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "the password command was ended by signal " + std::to_string(WTERMSIG(status));
  return "the password command failed with status " + std::to_string(WEXITSTATUS(status));
}

// What the command writes after its first line is read and dropped, so that it does not die of a closed pipe.
void drain(int fd) {
  crypto::Secret<std::array<char, 256>> dropped;
  while (true) {
    const ssize_t n = ::read(fd, dropped.expose().data(), dropped.expose().size());
    if (n == 0 || (n < 0 && errno != EINTR)) return;
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 0;
  }
  return status;
}

Password from_command(const std::string& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw os::system_error({Code::failed, command}, "make a pipe for the password command", errno);
  }
  const os::Fd reading(ends[0]);
  os::Fd writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw os::system_error({Code::failed, command}, "start the password command", errno);
  if (child == 0) become_shell(command.c_str(), writing.get());
  writing.reset();
  auto attempt = [&] {
    Password password = read_line(reading.get(), command);
    drain(reading.get());
    return password;
  };
  std::optional<Password> password;
  try {
    password = attempt();
  } catch (...) {
    ::kill(child, SIGTERM);
    wait_for(child);
    throw;
  }
  const int status = wait_for(child);
  if (status != 0) throw unusable(how_it_ended(status), command);
  return std::move(*password);
}

Password from_descriptor(int fd) { return read_line(fd, "descriptor " + std::to_string(fd)); }

Password take(PasswordSources& sources, bool fresh) {
  if (sources.given) {
    Password password = std::move(*sources.given);
    sources.given.reset();
    return password;
  }
  if (!sources.file.empty()) return from_file(sources.file);
  if (!sources.command.empty()) return from_command(sources.command);
  if (sources.descriptor >= 0) return from_descriptor(sources.descriptor);
  if (sources.prompt) return sources.prompt(fresh);
  throw Error(Code::wrong_password, "no password, and no terminal to ask for it", {},
              "give it by -p PASSWORD, --password-file FILE, --password-command COMMAND, --password-fd N, or by "
              "MBU_PASSWORD, MBU_PASSWORD_FILE or MBU_PASSWORD_COMMAND in the environment, or as the credential mbu.password of a service");
}

}  // namespace

Password obtain_password(PasswordSources& sources, bool fresh) {
  Password password = take(sources, fresh);
  if (fresh && password.empty()) throw Error(Code::wrong_password, "a new password must not be empty");
  return password;
}

Password read_secret_file(const std::string& path, std::size_t most) {
  const os::Blame blame{Code::wrong_password, path};
  const os::Fd file = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOCTTY, 0, blame);
  const crypto::LockedBytes room(most + 1);
  const auto bytes = room.bytes();
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t n = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw os::system_error(blame, "read it", errno);
    if (n == 0) return Password::take(reinterpret_cast<char*>(bytes.data()), size);
    size += static_cast<std::size_t>(n);
  }
  throw unusable("is longer than " + std::to_string(most) + " bytes", path);
}

}  // namespace mbu::keys
