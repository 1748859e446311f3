#include "os/listing.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace mbu::os {

std::vector<std::string> list_names(int directory, Blame blame) {
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
      const std::string_view name(record + offsetof(dirent64, d_name));
      if (name != "." && name != "..") names.emplace_back(name);
      at += length;
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace mbu::os
