// File descriptors and the calls on them that must not go wrong silently: full reads and writes, durable sync,
// opening beneath a directory. Everything throws mbu::Error with the errno in it and the Code its caller blames.
// Thread-safe as far as the descriptors are not shared.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"

namespace mbu::os {

// Owns a descriptor and closes it. Close errors of written files do not matter: what must last is synced before.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// Whose failure a system call's error is, and of what.
struct Blame {
  Code code;
  std::string_view subject;
};

// "cannot <what>: <strerror>" for errno `number`. Code::failed, whoever is to blame else, when this process or the machine has run out of
// descriptors or memory: that says nothing of the subject, and the next one would fail as well.
[[nodiscard]] Error system_error(Blame blame, std::string_view what, int number);

// open with O_CLOEXEC, restarted after EINTR. `directory`: AT_FDCWD or a directory's descriptor.
[[nodiscard]] Fd open_at(int directory, const char* path, int flags, mode_t mode, Blame blame);
// As open_at, but nothing instead of an error when it fails with ENOENT.
[[nodiscard]] Fd open_if_exists(int directory, const char* path, int flags, Blame blame);
// Opens `path` strictly beneath `root`, following no symlink at all: openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
// RESOLVE_NO_MAGICLINKS where the kernel has it, else component by component with O_NOFOLLOW.
[[nodiscard]] Fd open_beneath(int root, const std::string& path, int flags, mode_t mode, Blame blame);

// Reads until `to` is full or the file ends; the number of bytes read.
std::size_t read_full(int fd, MutableBytes to, Blame blame);
std::size_t read_full_at(int fd, MutableBytes to, std::uint64_t offset, Blame blame);
void write_all(int fd, ByteView bytes, Blame blame);
void write_all_at(int fd, ByteView bytes, std::uint64_t offset, Blame blame);
// fsync. A failure is final: never tried again.
void sync(int fd, Blame blame);
// fsync of the directory itself.
void sync_directory(const std::string& path, Blame blame);

// A whole file's bytes; more than `limit` is an error.
[[nodiscard]] ByteBuffer read_file(const std::string& path, std::size_t limit, Blame blame);
// unsynced: a power cut may leave what was there before, or on some file systems nothing.
enum class Durability { durable, unsynced };
// Creates a file with `mode` and replaces what was there, atomically; meanwhile it is called `.mbu-tmp-*`.
void replace_file(const std::string& path, ByteView bytes, mode_t mode, Blame blame, Durability durability = Durability::durable);
// mkdir -p with `mode` for what is made.
void make_directories(const std::string& path, mode_t mode, Blame blame);
// The same, and what was made is durable: the directory around each is synced. When that fails the directory is taken away again.
void make_durable_directories(const std::string& path, mode_t mode, Blame blame);

// A file name that nothing else has: prefix and 16 random hex digits.
[[nodiscard]] std::string unique_name(std::string_view prefix);

// Gets the soft limit of open files up to the hard one. Never fails.
void raise_file_limit() noexcept;

}  // namespace mbu::os
