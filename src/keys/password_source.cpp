#include "keys/password_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "crypto/secret.hpp"
#include "os/file.hpp"
#include "os/program.hpp"

namespace mbu::keys {
namespace {

using Line = std::array<char, kLongestPassword + 2>;  // with CR and LF

Error unusable(const std::string& what, const std::string& subject) {
  return Error(Code::wrong_password, what, subject);
}

// A line without its end.
Password trimmed(char* text, std::size_t size, const std::string& subject) {
  if (size > 0 && text[size - 1] == '\r') --size;
  if (size > kLongestPassword) {
    throw unusable("the password is longer than " + std::to_string(kLongestPassword) + " bytes", subject);
  }
  return Password::take(text, size);
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
  return trimmed(text, size, subject);
}

Password from_file(const std::string& path) {
  const os::Blame blame{Code::wrong_password, path};
  const os::Fd file = os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOCTTY, 0, blame);
  return read_line(file.get(), path);
}

Password from_command(const std::string& command) {
  crypto::Secret<Line> line;
  char* const text = line.expose().data();
  const auto end = os::run_program({.words = {"/bin/sh", "-c", command}, .output = {reinterpret_cast<std::uint8_t*>(text), line.expose().size()}});
  if (!end) throw unusable("there is no /bin/sh to run the password command", command);
  if (end->status != 0) throw unusable("the password command " + os::how_it_ended(*end), command);
  const auto size = std::min(end->printed, std::string_view(text, end->printed).find('\n'));
  return trimmed(text, size, command);
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
