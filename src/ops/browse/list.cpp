#include "ops/browse/browse.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {
namespace {

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? directory + name : directory + '/' + name;
}

void list_directory(const repo::Context& context, tree::TreeReader& reader, const ChunkId& id, const std::string& path,
                    bool recursive, const std::function<void(const EntryInfo&)>& visit) {
  context.interrupt.check();
  reader.for_each_leaf(id, path, [&](format::Page&& page) {
    for (const auto& entry : page.entries) {
      const std::string entry_path = join(path, entry.name);
      visit(describe(entry, entry_path));
      if (recursive && entry.is_directory() && !entry.directory.is_zero()) {
        list_directory(context, reader, entry.directory, entry_path, recursive, visit);
      }
    }
  });
}

}  // namespace

EntryInfo describe(const format::Entry& entry, const std::string& path) {
  EntryInfo info;
  info.path = path;
  info.name = entry.name;
  info.type = entry.type;
  info.mode = entry.mode;
  info.uid = entry.uid;
  info.gid = entry.gid;
  info.user = entry.user;
  info.group = entry.group;
  info.size = entry.is_regular() ? entry.size : 0;
  info.mtime_s = entry.mtime.seconds;
  info.mtime_ns = entry.mtime.nanoseconds;
  info.link_target = entry.target;
  info.device_major = static_cast<std::uint32_t>(entry.rdev >> 32);
  info.device_minor = static_cast<std::uint32_t>(entry.rdev);
  info.unreadable = entry.is_directory() && entry.directory.is_zero();
  return info;
}

void list(const repo::Context& context, const repo::ChunkIndex& index, const ChunkId& root, const std::string& path,
          bool recursive, const std::function<void(const EntryInfo&)>& visit) {
  tree::TreeReader reader(context.vault, index);
  if (path.find_first_not_of('/') == std::string::npos) {
    list_directory(context, reader, root, "/", recursive, visit);
    return;
  }
  const auto found = reader.find_path(root, path);
  if (!found) throw Error(Code::not_found, "is not in the snapshot", path, "list what there is: mbu ls SNAPSHOT");
  if (!found->entry.is_directory()) {
    visit(describe(found->entry, path));
  } else if (!found->entry.directory.is_zero()) {
    list_directory(context, reader, found->entry.directory, path, recursive, visit);
  }
}

}  // namespace mbu::ops
