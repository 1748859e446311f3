#include "repo/snapshots.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestSnapshot = 1U << 30;

}  // namespace

StoredSnapshot open_snapshot(const Vault& vault, const ObjectName& name) {
  const auto path = store::object_path(store::Folder::snapshots, name);
  const auto bytes = store::read_verified(vault.store(), store::Folder::snapshots, name, kLargestSnapshot);
  const auto object = open_object(vault.keyring(), format::ObjectKind::snapshot, bytes, path);
  StoredSnapshot stored{name, object.signer, object.header.domain, format::decode_snapshot(object.plain, path)};
  attribute(vault, stored);
  return stored;
}

StoredSnapshot read_snapshot(const Vault& vault, const ObjectName& name) {
  auto stored = open_snapshot(vault, name);
  vault.require_admitted(stored.writer, stored.domain, store::Folder::snapshots, name);
  return stored;
}

std::vector<StoredSnapshot> read_listed_snapshots(const Vault& vault, const std::vector<store::Listed>& listed, const Damage& damage,
                                                  unsigned threads) {
  // Each costs an X25519 agreement and an Ed25519 verification, which is more than threads cost as soon as there are some.
  constexpr std::size_t kWorthAThread = 64;
  std::vector<StoredSnapshot> all;
  std::mutex mutex;
  parallel_for(std::clamp<unsigned>(static_cast<unsigned>(listed.size() / kWorthAThread), 1, threads), listed.size(),
               [&](unsigned, std::size_t i) {
                 try {
                   auto stored = read_snapshot(vault, listed[i].name);
                   const std::scoped_lock lock(mutex);
                   all.push_back(std::move(stored));
                 } catch (const Error& error) {
                   if (error.code() == Code::not_found) return;
                   if (error.code() != Code::corrupt) throw;
                   const std::scoped_lock lock(mutex);
                   damage(finding_of(error));
                 }
               });
  sort_by_time(all);
  return all;
}

std::vector<StoredSnapshot> read_snapshots(const Vault& vault, Which which, const Damage& damage, unsigned threads) {
  auto listed = vault.store().list(store::Folder::snapshots, false);
  const auto& forgotten = vault.constitution().forgotten;
  if (which == Which::current) std::erase_if(listed, [&](const store::Listed& object) { return forgotten.contains(object.name); });
  return read_listed_snapshots(vault, listed, damage, threads);
}

void attribute(const Vault& vault, StoredSnapshot& snapshot) {
  const auto& admitted = vault.constitution().admitted;
  if (const auto known = admitted.find(snapshot.writer); known != admitted.end()) snapshot.writer_name = known->second.name;
  snapshot.own = snapshot.writer == vault.keyring().writer_signer().public_key();
}

void sort_by_time(std::vector<StoredSnapshot>& all) {
  std::ranges::sort(all, {}, [](const StoredSnapshot& s) { return std::tuple(s.snapshot.time, s.snapshot.number, s.name); });
}

SealedSnapshot seal_snapshot(const Vault& vault, const format::Snapshot& snapshot) {
  const auto& keyring = vault.keyring();
  auto bytes = seal_object(keyring, format::ObjectKind::snapshot, keyring.writer_signer(),
                           format::encode_snapshot(snapshot));
  const auto name = ObjectName::from(crypto::sha256(bytes));
  return {name, std::move(bytes)};
}

std::optional<std::set<ObjectName>> packs_of(const std::vector<StoredSnapshot>& all, const StoredSnapshot& snapshot) {
  std::unordered_map<ObjectName, const format::Snapshot*, IdentifierHash> by_name;
  for (const auto& stored : all) by_name.emplace(stored.name, &stored.snapshot);
  std::vector<const format::Snapshot*> chain{&snapshot.snapshot};
  while (chain.back()->base) {
    const auto found = by_name.find(*chain.back()->base);
    if (found == by_name.end() || chain.size() > all.size()) return std::nullopt;
    chain.push_back(found->second);
  }
  std::set<ObjectName> packs;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    for (const auto& name : (*link)->packs_removed) packs.erase(name);
    packs.insert((*link)->packs_added.begin(), (*link)->packs_added.end());
  }
  return packs;
}

}  // namespace mbu::repo
