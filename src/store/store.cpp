#include "store/store.hpp"

#include "mbu/types/location.hpp"
#include "store/directory_store.hpp"

namespace mbu::store {

std::string folder_name(Folder folder) {
  switch (folder) {
    case Folder::keys: return "keys";
    case Folder::statements: return "state";
    case Folder::packs: return "data";
    case Folder::indexes: return "index";
    case Folder::snapshots: return "snapshots";
    case Folder::locks: return "locks";
  }
  return {};
}

std::string object_path(Folder folder, const ObjectName& name) {
  const std::string hex = name.hex();
  if (folder == Folder::packs) return folder_name(folder) + '/' + hex.substr(0, 2) + '/' + hex;
  return folder_name(folder) + '/' + hex;
}

ObjectName put(Store& store, Folder folder, ByteView bytes) {
  auto writer = store.start(folder);
  writer->append(bytes);
  return writer->publish();
}

ByteBuffer read_verified(Store& store, Folder folder, const ObjectName& name, std::size_t limit) {
  const std::string path = object_path(folder, name);
  if (store.size(folder, name) > limit) throw Error(Code::corrupt, "is larger than such an object can be", path);
  ByteBuffer bytes = store.read(folder, name);
  if (crypto::sha256(bytes) != name.bytes) {
    throw Error(Code::corrupt, "is damaged: its bytes do not hash to its name", path);
  }
  return bytes;
}

std::unique_ptr<Store> open_store(const std::string& location) {
  if (is_remote(location)) throw Error(Code::usage, "this version reads and writes local directories only", location);
  if (location.ends_with(".mbu")) {
    throw Error(Code::usage, "this version does not read or write single-file packages", location);
  }
  return std::make_unique<DirectoryStore>(location);
}

}  // namespace mbu::store
