#include "os/attributes.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mbu::os {
namespace {

// Calls get(buffer, size) until the buffer holds all; nothing when there is no such thing (any more).
template <class Get>
bool read_growing(ByteBuffer& bytes, const char* what, Blame blame, Get get) {
  for (;;) {
    const auto got = get(bytes.data(), bytes.size());
    if (got >= 0) {
      bytes.resize(static_cast<std::size_t>(got));
      return true;
    }
    if (errno == ENOTSUP || errno == ENODATA) return false;
    if (errno != ERANGE) throw system_error(blame, what, errno);
    const auto needed = get(nullptr, 0);
    if (needed < 0) throw system_error(blame, what, errno);
    bytes.resize(std::max(static_cast<std::size_t>(needed), bytes.size() * 2));
  }
}

// `list(buffer, size)` and `get(name, buffer, size)` are the two calls of one family.
template <class List, class Get>
std::vector<AttributePair> read_all(Blame blame, List list, Get get) {
  std::vector<AttributePair> attributes;
  ByteBuffer names(1024);
  if (!read_growing(names, "list the extended attributes", blame,
                    [&](std::uint8_t* to, std::size_t size) { return list(reinterpret_cast<char*>(to), size); })) {
    return attributes;
  }
  for (auto text = as_text(names); !text.empty();) {
    std::string name(text.substr(0, text.find('\0')));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    ByteBuffer value(256);
    const bool there = read_growing(value, "read an extended attribute", blame, [&](std::uint8_t* to, std::size_t size) {
      return get(name.c_str(), to, size);
    });
    if (there) attributes.emplace_back(std::move(name), std::move(value));
  }
  std::ranges::sort(attributes);
  return attributes;
}

}  // namespace

std::vector<AttributePair> read_attributes(int fd, Blame blame) {
  return read_all(
      blame, [&](char* to, std::size_t size) { return ::flistxattr(fd, to, size); },
      [&](const char* name, void* to, std::size_t size) { return ::fgetxattr(fd, name, to, size); });
}

std::vector<AttributePair> read_attributes_at(int directory, const std::string& name, bool is_directory, Blame blame) {
  // There is no call for a name relative to a descriptor; /proc makes a path of it that is as safe.
  const std::string path = "/proc/self/fd/" + std::to_string(directory) + '/' + name;
  static const bool have_proc = ::access("/proc/self/fd", X_OK) == 0;
  if (have_proc) {
    return read_all(
        blame, [&](char* to, std::size_t size) { return ::llistxattr(path.c_str(), to, size); },
        [&](const char* key, void* to, std::size_t size) { return ::lgetxattr(path.c_str(), key, to, size); });
  }
  if (!is_directory) return {};
  return read_attributes(open_at(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, blame).get(), blame);
}

}  // namespace mbu::os
