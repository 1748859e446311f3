#include "os/file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/random.hpp"

namespace mbu::os {
namespace {

// Linux transfers at most this much in one call anyway.
constexpr std::size_t kLargestTransfer = 1U << 30;

template <class Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// mkdir -p; `made` is told each directory that was not there.
template <class Made>
void make_missing(const std::string& path, mode_t mode, Blame blame, Made made) {
  if (::mkdir(path.c_str(), mode) == 0) return made(path);
  if (errno == ENOENT && path != "/" && path != ".") {
    make_missing(parent_of(path), mode, blame, made);
    if (::mkdir(path.c_str(), mode) == 0) return made(path);
  }
  const int number = errno;
  struct stat existing {};
  if (number == EEXIST && ::stat(path.c_str(), &existing) == 0 && S_ISDIR(existing.st_mode)) return;
  throw system_error(blame, "make the directory", number == EEXIST ? ENOTDIR : number);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() { reset(); }

void Fd::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Error system_error(Blame blame, std::string_view what, int number) {
  std::string next;
  if (number == ENOSPC || number == EDQUOT) next = "make room there and run the command again";
  Code code = blame.code;
  if (number == EMFILE || number == ENFILE || number == ENOMEM) {
    code = Code::failed;
    next = number == ENOMEM ? "free some memory and run the command again"
                            : "raise the limit of open files (ulimit -n) and run the command again";
  }
  return Error(code, "cannot " + std::string(what) + ": " + std::generic_category().message(number),
               std::string(blame.subject), next, number);
}

Fd open_at(int directory, const char* path, int flags, mode_t mode, Blame blame) {
  Fd fd(retry([&] { return ::openat(directory, path, flags | O_CLOEXEC, mode); }));
  if (!fd) throw system_error(blame, (flags & O_CREAT) != 0 ? "create" : "open", errno);
  return fd;
}

Fd open_if_exists(int directory, const char* path, int flags, Blame blame) {
  Fd fd(retry([&] { return ::openat(directory, path, flags | O_CLOEXEC); }));
  if (!fd && errno != ENOENT) throw system_error(blame, "open", errno);
  return fd;
}

std::size_t read_full(int fd, MutableBytes to, Blame blame) {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto n = retry([&] { return ::read(fd, to.data() + done, std::min(to.size() - done, kLargestTransfer)); });
    if (n < 0) throw system_error(blame, "read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::size_t read_full_at(int fd, MutableBytes to, std::uint64_t offset, Blame blame) {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto n = retry([&] {
      return ::pread(fd, to.data() + done, std::min(to.size() - done, kLargestTransfer),
                     static_cast<off_t>(offset + done));
    });
    if (n < 0) throw system_error(blame, "read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void write_all(int fd, ByteView bytes, Blame blame) {
  while (!bytes.empty()) {
    const auto n = retry([&] { return ::write(fd, bytes.data(), std::min(bytes.size(), kLargestTransfer)); });
    if (n < 0) throw system_error(blame, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void write_all_at(int fd, ByteView bytes, std::uint64_t offset, Blame blame) {
  while (!bytes.empty()) {
    const auto n = retry([&] {
      return ::pwrite(fd, bytes.data(), std::min(bytes.size(), kLargestTransfer), static_cast<off_t>(offset));
    });
    if (n < 0) throw system_error(blame, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void sync(int fd, Blame blame) {
  if (::fsync(fd) != 0) throw SyncFailed(system_error(blame, "make durable (fsync)", errno));
}

void sync_directory(const std::string& path, Blame blame) {
  sync(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY, 0, blame).get(), blame);
}

ByteBuffer read_file(const std::string& path, std::size_t limit, Blame blame) {
  const Fd fd = open_at(AT_FDCWD, path.c_str(), O_RDONLY, 0, blame);
  ByteBuffer bytes;
  std::size_t filled = 0;
  for (;;) {
    bytes.resize(std::min(limit + 1, std::max<std::size_t>(4096, filled * 2)));
    filled += read_full(fd.get(), MutableBytes(bytes).subspan(filled), blame);
    if (filled < bytes.size()) break;
    if (filled > limit) throw Error(blame.code, "is larger than it may be", std::string(blame.subject));
  }
  bytes.resize(filled);
  return bytes;
}

void replace_file(const std::string& path, ByteView bytes, mode_t mode, Blame blame, Durability durability) {
  const std::string temporary = parent_of(path) + '/' + unique_name(".mbu-tmp-");
  try {
    const Fd fd = open_at(AT_FDCWD, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, blame);
    write_all(fd.get(), bytes, blame);
    if (durability == Durability::durable) sync(fd.get(), blame);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw system_error(blame, "rename into place", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  if (durability == Durability::durable) sync_directory(parent_of(path), blame);
}

void make_directories(const std::string& path, mode_t mode, Blame blame) {
  make_missing(path, mode, blame, [](const std::string&) {});
}

void make_durable_directories(const std::string& path, mode_t mode, Blame blame) {
  make_missing(path, mode, blame, [&](const std::string& made) {
    try {
      sync_directory(parent_of(made), blame);
    } catch (...) {
      ::rmdir(made.c_str());  // else the next run finds it and relies on it
      throw;
    }
  });
}

std::string unique_name(std::string_view prefix) {
  using Nonce = Identifier<struct NonceTag, 8>;
  return std::string(prefix) + random_identifier<Nonce>().hex();
}

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace mbu::os
