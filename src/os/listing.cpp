#include "os/listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace mbu::os {
namespace {

// The names for which wanted(name, d_type) holds, sorted.
template <class Wanted>
std::vector<std::string> list(int directory, Blame blame, Wanted wanted) {
  // getdents64 itself: readdir would want a descriptor to own, and a smaller buffer.
  constexpr std::size_t kBuffer = 64U << 10;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBuffer);
  std::vector<std::string> names;
  if (::lseek(directory, 0, SEEK_SET) < 0) throw system_error(blame, "list", errno);
  for (;;) {
    const auto got = ::getdents64(directory, buffer.get(), kBuffer);
    if (got < 0) throw system_error(blame, "list", errno);
    if (got == 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const char* const record = buffer.get() + at;
      unsigned short length = 0;
      std::memcpy(&length, record + offsetof(dirent64, d_reclen), sizeof length);
      const auto type = static_cast<unsigned char>(record[offsetof(dirent64, d_type)]);
      const std::string_view name(record + offsetof(dirent64, d_name));
      if (name != "." && name != ".." && wanted(name, type)) names.emplace_back(name);
      at += length;
    }
  }
  std::ranges::sort(names);
  // Some file systems tell a name twice when it is made anew between two calls.
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::vector<std::string> list_names(int directory, Blame blame) {
  return list(directory, blame, [](std::string_view, unsigned char) { return true; });
}

std::vector<std::string> list_directories(int directory, Blame blame) {
  return list(directory, blame, [directory](std::string_view name, unsigned char type) {
    if (type != DT_UNKNOWN) return type == DT_DIR;
    struct stat status {};  // some file systems do not say
    return ::fstatat(directory, name.data(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
  });
}

}  // namespace mbu::os
