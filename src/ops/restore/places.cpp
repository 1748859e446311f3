#include "ops/restore/places.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "os/listing.hpp"
#include "os/metadata.hpp"

namespace mbu::ops {
namespace {

constexpr mode_t kOwnerOnly = 0600;

mode_t type_bits(EntryType type) {
  switch (type) {
    case EntryType::fifo: return S_IFIFO;
    case EntryType::socket: return S_IFSOCK;
    case EntryType::character_device: return S_IFCHR;
    default: return S_IFBLK;
  }
}

struct Removed {
  std::uint64_t count = 0;
  bool all = true;  // nothing was spared
};

Removed remove_below(int directory, const std::string& name, const std::string& path, const Removal& removal, os::Blame blame) {
  const auto there = os::status_at(directory, name.c_str(), os::Links::keep, blame);
  if (!there) return {};
  if (removal.spares && removal.spares(path, *there)) return {0, false};
  if (!removal.dry_run) unlock(directory, name, *there, blame);
  const bool is_directory = there->type == EntryType::directory;
  Removed removed;
  if (is_directory) {
    const auto inside = os::open_at(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, blame);
    for (const auto& below : os::list_names(inside.get(), blame)) {
      const auto part = remove_below(inside.get(), below, path + '/' + below, removal, blame);
      removed.count += part.count;
      removed.all = removed.all && part.all;
    }
  }
  if (!removed.all) return removed;
  if (removal.dry_run || ::unlinkat(directory, name.c_str(), is_directory ? AT_REMOVEDIR : 0) == 0) {
    return {removed.count + 1, true};
  }
  if (errno == ENOENT) return removed;
  throw os::system_error(blame, "remove", errno);
}

}  // namespace

void unlock(int directory, const std::string& name, const os::FileStatus& there, os::Blame blame) {
  const bool can_have_flags = there.type == EntryType::regular || there.type == EntryType::directory;
  if (!can_have_flags || (there.flags & (os::kImmutable | os::kAppendOnly)) == 0) return;
  const auto fd = os::open_at(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, blame);
  os::set_file_flags(fd.get(), 0, blame);
}

void replace_name(int directory, const std::string& from, const std::string& to, const os::FileStatus& there, os::Blame blame) {
  unlock(directory, to, there, blame);
  if (::renameat(directory, from.c_str(), directory, to.c_str()) != 0) {
    throw os::system_error(blame, "rename into place", errno);
  }
}

void make_special(int directory, const std::string& name, const format::Entry& entry, os::Blame blame) {
  if (entry.type == EntryType::symlink) {
    if (::symlinkat(entry.target.c_str(), directory, name.c_str()) != 0) {
      throw os::system_error(blame, "make the symlink", errno);
    }
    return;
  }
  const auto device = makedev(static_cast<unsigned>(entry.rdev >> 32), static_cast<unsigned>(entry.rdev));
  if (::mknodat(directory, name.c_str(), type_bits(entry.type) | kOwnerOnly, device) != 0) {
    throw os::system_error(blame, "make the special file", errno);
  }
}

bool is_same_special(int directory, const format::Entry& entry, const os::FileStatus& there, os::Blame blame) {
  if (entry.type != there.type) return false;
  if (entry.type == EntryType::symlink) return os::read_link_at(directory, entry.name, blame) == entry.target;
  return entry.rdev == there.rdev;
}

os::Fd open_directory(int parent, const std::string& name, os::Blame blame) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  try {
    return os::open_at(parent, name.c_str(), kFlags, 0, blame);
  } catch (const Error& error) {
    if (error.system_errno() != EACCES) throw;
  }
  const auto path = os::open_at(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, blame);
  os::set_mode({path.get(), true}, 0700, blame);
  return os::open_at(parent, name.c_str(), kFlags, 0, blame);
}

std::uint64_t remove_tree(int directory, const std::string& name, const std::string& path, const Removal& removal,
                          os::Blame blame) {
  return remove_below(directory, name, path, removal, blame).count;
}

}  // namespace mbu::ops
