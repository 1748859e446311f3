// open_beneath: the kernel's own containment where it has it (Linux 5.6), the same by hand elsewhere.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>

#include "os/file.hpp"

namespace mbu::os {
namespace {

// The kernel takes no longer path in one call.
constexpr std::size_t kLongestPath = 4095;

std::atomic<bool> have_openat2{true};

// Nothing when the kernel has no such call (a seccomp filter's EPERM counts as that).
std::optional<Fd> try_openat2(int root, const char* path, int flags, mode_t mode) {
  if (!have_openat2.load(std::memory_order_relaxed)) return std::nullopt;
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const auto fd = static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
    if (fd >= 0) return Fd(fd);
    // EAGAIN: something was renamed meanwhile and the kernel could not tell whether the path stayed beneath.
    if (errno == EINTR || errno == EAGAIN) continue;
    if (errno != ENOSYS && errno != EPERM) return Fd();
    if (errno == ENOSYS) have_openat2.store(false, std::memory_order_relaxed);
    return std::nullopt;
  }
}

Fd open_by_component(int root, const std::string& path, int flags, mode_t mode, Blame blame) {
  if (path.starts_with('/')) throw Error(blame.code, "is no path beneath a directory", std::string(blame.subject));
  Fd directory;
  std::size_t start = 0;
  for (;;) {
    const auto end = std::min(path.find('/', start), path.size());
    const std::string name = path.substr(start, end - start);
    if (name == "..") throw Error(blame.code, "leads out of the directory", std::string(blame.subject));
    const int at = directory ? directory.get() : root;
    const auto next = path.find_first_not_of('/', end);
    if (next == std::string::npos) return open_at(at, name.c_str(), flags | O_NOFOLLOW, mode, blame);
    directory = open_at(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, blame);
    start = next;
  }
}

}  // namespace

Fd open_beneath(int root, const std::string& path, int flags, mode_t mode, Blame blame) {
  if (path.size() <= kLongestPath) {
    if (auto fd = try_openat2(root, path.c_str(), flags, mode)) {
      if (!*fd) throw system_error(blame, (flags & O_CREAT) != 0 ? "create" : "open", errno);
      return std::move(*fd);
    }
  }
  return open_by_component(root, path, flags, mode, blame);
}

}  // namespace mbu::os
