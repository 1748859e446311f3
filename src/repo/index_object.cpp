#include "repo/index_object.hpp"

#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestIndex = 1U << 30;

}  // namespace

ReadIndex read_index(const Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::indexes, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::indexes, name, kLargestIndex);
  const auto object = open_object(vault.keyring(), format::ObjectKind::index, bytes, path);
  vault.require_admitted(object.signer, object.header.domain, store::Folder::indexes, name);
  return {object.signer, object.header.domain, format::decode_index(object.plain, path)};
}

ObjectName write_index(const Vault& vault, std::vector<format::IndexedPack> packs) {
  const auto plain = format::encode_index({std::move(packs), {}});
  const auto& keyring = vault.keyring();
  return store::put(vault.store(), store::Folder::indexes,
                    seal_object(keyring, format::ObjectKind::index, keyring.writer_signer(), plain));
}

}  // namespace mbu::repo
