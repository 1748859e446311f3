#include "repo/snapshots.hpp"

#include <algorithm>

#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestSnapshot = 1U << 30;

}  // namespace

StoredSnapshot read_snapshot(const Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::snapshots, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::snapshots, name, kLargestSnapshot);
  const auto object = open_object(vault.keyring(), format::ObjectKind::snapshot, bytes, path);
  if (!vault.is_admitted(object.signer, object.header.domain, store::Folder::snapshots, name)) {
    throw Error(Code::corrupt, "is signed by a writer who was never admitted", path);
  }
  return {name, object.signer, format::decode_snapshot(object.plain, path)};
}

std::vector<StoredSnapshot> read_snapshots(const Vault& vault,
                                           const std::function<void(const CheckReport::Finding&)>& damage) {
  std::vector<StoredSnapshot> all;
  for (const auto& listed : vault.store().list(store::Folder::snapshots, false)) {
    try {
      all.push_back(read_snapshot(vault, listed.name));
    } catch (const Error& error) {
      if (error.code() == Code::not_found) continue;
      if (error.code() != Code::corrupt) throw;
      damage({error.subject(), error.happened()});
    }
  }
  std::ranges::sort(all, {}, [](const StoredSnapshot& s) { return std::tuple(s.snapshot.time, s.snapshot.number, s.name); });
  return all;
}

SealedSnapshot seal_snapshot(const Vault& vault, const format::Snapshot& snapshot) {
  const auto& keyring = vault.keyring();
  auto bytes = seal_object(keyring, format::ObjectKind::snapshot, keyring.writer_signer(),
                           format::encode_snapshot(snapshot));
  const auto name = ObjectName::from(crypto::sha256(bytes));
  return {name, std::move(bytes)};
}

std::optional<std::set<ObjectName>> packs_of(const std::vector<StoredSnapshot>& all, const StoredSnapshot& snapshot) {
  std::vector<const format::Snapshot*> chain{&snapshot.snapshot};
  while (chain.back()->base) {
    const auto found = std::ranges::find(all, *chain.back()->base, &StoredSnapshot::name);
    if (found == all.end() || chain.size() > all.size()) return std::nullopt;
    chain.push_back(&found->snapshot);
  }
  std::set<ObjectName> packs;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    for (const auto& name : (*link)->packs_removed) packs.erase(name);
    packs.insert((*link)->packs_added.begin(), (*link)->packs_added.end());
  }
  return packs;
}

}  // namespace mbu::repo
