// Store: where objects live. Knows names and bytes, no keys and no formats.
//
// Objects are written once and named by the SHA-256 of their bytes, so that a put is idempotent and a reader can tell damage
// from absence. Every kind of store passes the same contract suite (tests/store). All methods may be called from any
// thread at once. Failures are Code::store, except that what is not there is Code::not_found, and that an object which cannot be read
// while the store can is Code::corrupt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace mbu::store {

enum class Folder { keys, statements, packs, indexes, snapshots, locks };
inline constexpr Folder kFolders[] = {Folder::keys,    Folder::statements, Folder::packs,
                                      Folder::indexes, Folder::snapshots,  Folder::locks};

// "keys", "state", "data", "index", "snapshots", "locks".
[[nodiscard]] std::string folder_name(Folder folder);
// An object's path within the repository, as messages name it: "data/ab/ab12…".
[[nodiscard]] std::string object_path(Folder folder, const ObjectName& name);

struct Listed {
  ObjectName name;
  std::uint64_t size = 0;  // bytes
};

// An object being written. What was appended is gone when it is destroyed before publish(). One thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual void append(ByteView bytes) = 0;
  // Makes the object durable and visible under the hash of its bytes. Only then does it exist.
  virtual ObjectName publish() = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] virtual std::string location() const = 0;

  // The config object, nothing when there is none. Code::corrupt when there are two.
  [[nodiscard]] virtual std::optional<ByteBuffer> read_config() = 0;
  // Makes an empty repository: its folders, the `first` objects and, last of all, its config. What a broken run of this
  // left behind is removed. Code::failed when there is a config already or when there are other objects without one.
  virtual void create(ByteView config, const std::vector<std::pair<Folder, ByteBuffer>>& first) = 0;

  // What is there now. Sizes cost a look at each object and are 0 unless asked for.
  [[nodiscard]] virtual std::vector<Listed> list(Folder folder, bool with_sizes) = 0;
  [[nodiscard]] virtual std::uint64_t size(Folder folder, const ObjectName& name) = 0;
  // Exactly to.size() bytes from `offset`; Code::corrupt when the object is shorter.
  virtual void read_at(Folder folder, const ObjectName& name, std::uint64_t offset, MutableBytes to) = 0;
  // The whole object as it is: its hash is not compared with its name.
  [[nodiscard]] virtual ByteBuffer read(Folder folder, const ObjectName& name) = 0;

  [[nodiscard]] virtual std::unique_ptr<ObjectWriter> start(Folder folder) = 0;
  virtual void remove(Folder folder, const ObjectName& name) = 0;
  // Makes durable that these packs are there: for packs that others published, who may have been killed before they had seen to
  // it. As dear as a sync of each folder they lie in.
  virtual void make_durable(const std::vector<ObjectName>& packs) = 0;

  // Removes what broken writers left behind; the number of files removed. Never what a living writer writes.
  virtual std::size_t clean() = 0;
  // A local directory that must never be packaged, or nothing.
  [[nodiscard]] virtual std::optional<std::string> own_directory() const = 0;
};

// Writes an object in one piece; its name.
ObjectName put(Store& store, Folder folder, ByteView bytes);
// An object whose bytes hash to its name; else Code::corrupt naming it. At most `limit` bytes.
[[nodiscard]] ByteBuffer read_verified(Store& store, Folder folder, const ObjectName& name, std::size_t limit);

// The store at a location of CLI.md's repository URLs. Code::usage for kinds this version does not have.
// Touches nothing yet.
[[nodiscard]] std::unique_ptr<Store> open_store(const std::string& location);

}  // namespace mbu::store
