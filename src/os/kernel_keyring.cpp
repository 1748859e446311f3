// By system calls, since libkeyutils would bring nothing but their names. A process without a session keyring (of cron, of a container) uses its user's:
// asked for by its number, since adding to "the session's" would make one of its own, which would go with the process.
#include "os/kernel_keyring.hpp"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/file.hpp"

namespace mbu::os {
namespace {

constexpr const char* kType = "user";
using Serial = std::int32_t;

template <class... Arguments>
long keyctl(int operation, Arguments... arguments) {
  return ::syscall(SYS_keyctl, operation, arguments...);
}

// Negative: there is none.
Serial session_keyring() { return static_cast<Serial>(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0)); }

std::optional<Serial> search(const std::string& name) {
  const long found = keyctl(KEYCTL_SEARCH, session_keyring(), kType, name.c_str(), 0);
  return found < 0 ? std::nullopt : std::optional(static_cast<Serial>(found));
}

}  // namespace

void put_session_key(const std::string& name, ByteView secret, std::uint32_t seconds) {
  const long added = ::syscall(SYS_add_key, kType, name.c_str(), secret.data(), secret.size(), session_keyring());
  const Blame blame{Code::failed, "the kernel's keyring"};
  if (added < 0) throw system_error(blame, "keep the keys there", errno);
  if (keyctl(KEYCTL_SET_TIMEOUT, static_cast<Serial>(added), seconds) >= 0) return;
  const int number = errno;
  keyctl(KEYCTL_INVALIDATE, static_cast<Serial>(added));
  throw system_error(blame, "have it forget the keys in time", number);
}

std::optional<std::size_t> find_session_key(const std::string& name, MutableBytes to) {
  const auto key = search(name);
  if (!key) return std::nullopt;
  const long size = keyctl(KEYCTL_READ, *key, to.data(), to.size());
  if (size < 0 || static_cast<std::size_t>(size) > to.size()) return std::nullopt;
  return static_cast<std::size_t>(size);
}

bool remove_session_key(const std::string& name) {
  const auto key = search(name);
  return key && keyctl(KEYCTL_INVALIDATE, *key) >= 0;
}

}  // namespace mbu::os
