#include "api/cat.hpp"

#include "api/decoded_json.hpp"
#include "repo/envelope.hpp"
#include "repo/index_object.hpp"
#include "repo/snapshot_query.hpp"
#include "tree/reader.hpp"

namespace mbu::api {
namespace {

constexpr std::size_t kLargestStatement = 64U << 20;

// The object whose name begins with `prefix`.
ObjectName find_object(const repo::Vault& vault, store::Folder folder, const std::string& kind,
                       const std::string& prefix) {
  if (prefix.empty()) throw Error(Code::usage, "cat " + kind + " wants an id");
  std::optional<ObjectName> found;
  for (const auto& listed : vault.store().list(folder, false)) {
    if (!listed.name.hex().starts_with(prefix)) continue;
    if (found) throw Error(Code::usage, "several objects of that kind begin with this", prefix, "give more digits");
    found = listed.name;
  }
  if (!found) throw Error(Code::not_found, "there is no such " + kind, prefix);
  return *found;
}

Json named(const ObjectName& name, Json rest) {
  Json object{{"id", name.hex()}};
  object.update(rest);
  return object;
}

Json config_value(const repo::Vault& vault) {
  auto object = decoded(vault.config());
  object["hash"] = vault.config_hash().hex();
  return object;
}

Json index_value(const repo::Vault& vault, const ObjectName& name) {
  const auto read = repo::read_index(vault, name);
  Json object{{"id", name.hex()}, {"writer", read.signer.hex()}};
  object.update(decoded(read.index));
  return object;
}

Json slot_value(const repo::Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::keys, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::keys, name, format::kLargestSlot);
  return named(name, decoded(format::decode_slot(bytes, path), keys::read_label(bytes, vault.keyring(), path)));
}

Json statement_value(const repo::Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::statements, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::statements, name, kLargestStatement);
  const auto object = repo::open_object(vault.keyring(), format::ObjectKind::statement, bytes, path);
  if (object.signer != vault.config().owner) throw Error(Code::corrupt, "is not signed by the owner", path);
  return named(name, decoded(format::decode_statement(object.plain, path)));
}

repo::StoredSnapshot find_snapshot(const repo::Vault& vault, const std::string& text) {
  if (text.empty()) throw Error(Code::usage, "cat wants an id");
  // Only `latest` needs to look into all of them; an id must work whatever else is damaged.
  if (!text.starts_with("latest")) {
    return repo::read_snapshot(vault, find_object(vault, store::Folder::snapshots, "snapshot", text));
  }
  return repo::find_snapshot(repo::read_snapshots(vault, repo::Which::current, [](const CheckReport::Finding&) {}), text, {});
}

ChunkId directory_at(tree::TreeReader& reader, const ChunkId& root, const std::string& path) {
  if (path.find_first_not_of('/') == std::string::npos) return root;
  const auto found = reader.find_path(root, path);
  if (!found) throw Error(Code::not_found, "is not in the snapshot", path, "list what there is: mbu ls SNAPSHOT");
  if (!found->entry.is_directory()) throw Error(Code::usage, "is not a directory: it has no page", path);
  if (found->entry.directory.is_zero()) {
    throw Error(Code::not_found, "could not be read when it was packaged: it has no page", path);
  }
  return found->entry.directory;
}

Json page_value(const repo::Vault& vault, const repo::ChunkIndex& index, const ChunkId& id) {
  tree::TreeReader reader(vault, index);
  Json object{{"id", id.hex()}};
  object.update(decoded(reader.page(id, "page " + id.hex())));
  return object;
}

// A page by its id, in the own domain, or by a snapshot and a path.
Json tree_value(const repo::Vault& vault, const LoadIndex& load_index, const std::string& text) {
  if (const auto id = ChunkId::parse(text)) {
    const auto index = load_index(vault.keyring().own_domain().id);
    if (index.find(*id)) return page_value(vault, index, *id);
  }
  const auto colon = text.find(':');
  const auto snapshot = find_snapshot(vault, text.substr(0, colon));
  const auto index = load_index(snapshot.domain);
  tree::TreeReader reader(vault, index);
  return page_value(vault, index, directory_at(reader, snapshot.snapshot.root, colon == std::string::npos ? "" : text.substr(colon + 1)));
}

Json value_of(const repo::Vault& vault, const LoadIndex& load_index, const std::string& kind, const std::string& id) {
  const auto find = [&](store::Folder folder) { return find_object(vault, folder, kind, id); };
  if (kind == "config") return config_value(vault);
  if (kind == "index") return index_value(vault, find(store::Folder::indexes));
  if (kind == "pack") return decoded(repo::read_toc(vault, find(store::Folder::packs)));
  if (kind == "snapshot") return decoded(find_snapshot(vault, id));
  if (kind == "tree") return tree_value(vault, load_index, id);
  if (kind == "slot") return slot_value(vault, find(store::Folder::keys));
  if (kind == "statement") return statement_value(vault, find(store::Folder::statements));
  throw Error(Code::usage, "there is no such kind of object", kind,
              "config, index, pack, snapshot, tree, slot or statement");
}

}  // namespace

std::string cat_object(const repo::Vault& vault, const LoadIndex& load_index, const std::string& kind, const std::string& id) {
  return value_of(vault, load_index, kind, id).dump(2);
}

}  // namespace mbu::api
