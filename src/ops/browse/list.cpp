#include "ops/browse/browse.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {
namespace {

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? directory + name : directory + '/' + name;
}

class Listing {
 public:
  Listing(const repo::Context& context, tree::TreeReader& reader, bool recursive,
          const std::function<void(const EntryInfo&)>& visit)
      : context_(context), reader_(reader), recursive_(recursive), visit_(visit) {}

  // All that can be read, then throws the first damage that there was.
  void run(const ChunkId& id, const std::string& path) {
    directory(id, path);
    if (damage_) throw *damage_;
  }

 private:
  void directory(const ChunkId& id, const std::string& path) {
    context_.interrupt.check();
    try {
      reader_.for_each_leaf(id, path, [&](format::Page&& page) { leaf(page, path); });
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
      if (!damage_) damage_ = error;
    }
  }

  void leaf(const format::Page& page, const std::string& path) {
    for (const auto& entry : page.entries) {
      const std::string entry_path = join(path, entry.name);
      visit_(describe(entry, entry_path));
      if (recursive_ && entry.is_directory() && !entry.directory.is_zero()) directory(entry.directory, entry_path);
    }
  }

  const repo::Context& context_;
  tree::TreeReader& reader_;
  bool recursive_;
  const std::function<void(const EntryInfo&)>& visit_;
  std::optional<Error> damage_;
};

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
    Listing(context, reader, recursive, visit).run(root, "/");
    return;
  }
  const auto found = reader.find_path(root, path);
  if (!found) throw Error(Code::not_found, "is not in the snapshot", path, "list what there is: mbu ls SNAPSHOT");
  if (!found->entry.is_directory()) {
    visit(describe(found->entry, path));
  } else if (!found->entry.directory.is_zero()) {
    Listing(context, reader, recursive, visit).run(found->entry.directory, path);
  }
}

}  // namespace mbu::ops
