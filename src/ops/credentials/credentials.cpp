#include "ops/credentials/credentials.hpp"

#include <algorithm>
#include <set>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "repo/pack_reader.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {
namespace {

using store::Folder;

// What opens a credential's file that has no password of its own is a key of 256 bits: stretching it would protect nothing.
constexpr keys::KdfCost kNoStretching{format::SlotKdf::argon2id, 8 * 1024, 1};

std::int64_t now_ns() {
  const auto now = system_clock().wall();
  return now.seconds * 1'000'000'000 + now.nanoseconds;
}

// What the slot says of itself, if it is there and whole. Labels are sealed under a key that writers have, too: who is an owner or which writer, only
// statements say.
void read_slot(const repo::Vault& vault, CredentialInfo& info, const std::function<void(const CheckReport::Finding&)>& damage) {
  const auto path = store::object_path(Folder::keys, info.id);
  try {
    const auto bytes = store::read_verified(vault.store(), Folder::keys, info.id, format::kLargestSlot);
    const auto slot = format::decode_slot(bytes, path);
    const auto label = keys::read_label(bytes, vault.keyring(), path);
    if (info.name.empty()) info.name = label.name;
    info.kdf = slot.kdf == format::SlotKdf::argon2id ? Kdf::argon2id : slot.kdf == format::SlotKdf::pbkdf2 ? Kdf::pbkdf2 : Kdf::security_key;
    info.memory_kib = slot.memory_kib;
    info.passes = slot.passes;
    info.created_s = static_cast<std::int64_t>(label.created_ns / 1'000'000'000);
    info.present = true;
  } catch (const Error& error) {
    if (error.code() == Code::corrupt) damage({path, error.happened()});
    else if (error.code() != Code::not_found) throw;
  }
}

void refuse_taken(const std::vector<CredentialInfo>& all, const std::string& name) {
  if (name.empty()) throw Error(Code::usage, "a name must not be empty");
  if (std::ranges::find(all, name, &CredentialInfo::name) == all.end()) return;
  throw Error(Code::usage, "there is a password or credential of this name already", name, "give another by --name, or remove that one first");
}

std::vector<CredentialInfo> list(const repo::Vault& vault) {
  return list_credentials(vault, [](const CheckReport::Finding&) {});
}

// As the list has it.
CredentialInfo listed(const repo::Vault& vault, const ObjectName& slot) {
  const auto all = list(vault);
  const auto found = std::ranges::find(all, slot, &CredentialInfo::id);
  if (found == all.end()) throw Error(Code::failed, "is not there any more", store::object_path(Folder::keys, slot));
  return *found;
}

CredentialInfo add_owners_slot(repo::Vault& vault, ByteView slot, format::Statement statement) {
  const auto id = store::put(vault.store(), Folder::keys, slot);
  statement.slots_added.push_back(id);
  vault.publish(std::move(statement));
  return listed(vault, id);
}

ByteBuffer owners_slot(const repo::Vault& vault, const Password& password, const std::string& name, const InitOptions& kdf) {
  const keys::SlotOptions options{keys::choose_cost(kdf), name, static_cast<std::uint64_t>(now_ns())};
  return keys::make_owner_slot(vault.keyring(), vault.keyring().root(), vault.config_hash(), password, options);
}

// All that the writer has published so far.
format::Removal removal_of(const repo::Vault& vault, const PublicKey& writer, const DomainId& domain) {
  format::Removal removal{writer, {}, {}};
  for (const auto& listed : vault.store().list(Folder::packs, false)) {
    try {
      if (repo::read_toc(vault, listed.name).writer == writer) removal.accepted_packs.push_back(listed.name);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
    }
  }
  std::set<ObjectName> packs(removal.accepted_packs.begin(), removal.accepted_packs.end());
  for (const auto& stored : repo::read_snapshots(vault, repo::Which::all, [](const CheckReport::Finding&) {})) {
    if (stored.domain != domain) continue;
    // Others of the domain may lean on his packs, and packs may not have arrived yet; a name can only be that pack's.
    packs.insert(stored.snapshot.packs_added.begin(), stored.snapshot.packs_added.end());
    if (stored.writer == writer) removal.accepted_snapshots.push_back(stored.name);
  }
  removal.accepted_packs.assign(packs.begin(), packs.end());
  return removal;
}

const CredentialInfo& find(const std::vector<CredentialInfo>& all, const std::string& text) {
  std::vector<const CredentialInfo*> found;
  for (const auto& info : all) {
    if (info.name == text) found.push_back(&info);
  }
  for (const auto& info : all) {
    if (found.empty() && !text.empty() && info.id.hex().starts_with(text)) found.push_back(&info);
  }
  if (found.size() > 1) throw Error(Code::usage, "several passwords or credentials are called so", text, "give the beginning of an id: mbu key list");
  if (found.empty()) throw Error(Code::not_found, "there is no such password or credential", text, "list what there is: mbu key list");
  return *found.front();
}

}  // namespace

std::vector<CredentialInfo> list_credentials(const repo::Vault& vault, const std::function<void(const CheckReport::Finding&)>& damage) {
  const auto& constitution = vault.constitution();
  std::vector<CredentialInfo> all;
  std::set<ObjectName> writers;
  for (const auto& [key, writer] : constitution.writers) {
    if (!writer.slot) continue;  // the owner's own
    writers.insert(*writer.slot);
    CredentialInfo info;
    info.id = *writer.slot;
    info.role = CredentialInfo::Role::writer;
    info.name = writer.name;
    info.domain = writer.domain;
    info.with_owner = writer.domain == keys::main_domain();
    all.push_back(std::move(info));
  }
  for (const auto& slot : constitution.slots) {
    if (writers.contains(slot)) continue;
    CredentialInfo info;
    info.id = slot;
    info.with_owner = true;
    all.push_back(std::move(info));
  }
  for (auto& info : all) {
    info.current = info.id == vault.slot();
    read_slot(vault, info, damage);
  }
  std::ranges::sort(all, {}, [](const CredentialInfo& info) { return std::tuple(info.created_s, info.name); });
  return all;
}

CredentialInfo add_password(repo::Vault& vault, const Password& password, const CredentialOptions& options) {
  vault.require_owner();
  refuse_taken(list(vault), options.name);
  return add_owners_slot(vault, owners_slot(vault, password, options.name, options.kdf), {});
}

CredentialInfo add_security_key(repo::Vault& vault, keys::Authenticator& authenticator, const std::string& name) {
  vault.require_owner();
  refuse_taken(list(vault), name);
  const keys::SlotOptions options{{}, name, static_cast<std::uint64_t>(now_ns())};
  return add_owners_slot(vault, keys::make_owner_slot(vault.keyring(), vault.keyring().root(), vault.config_hash(), authenticator, options), {});
}

void require_password(const repo::Vault& vault) {
  for (const auto& info : list(vault)) {
    if (!info.current || info.kdf != Kdf::security_key) continue;
    throw Error(Code::usage, "the repository was opened by a security key, which has no password to change", info.name,
                "add a password (mbu key add), or remove the security key's access (mbu key remove)");
  }
}

CredentialInfo change_password(repo::Vault& vault, const Password& password, const CredentialOptions& options) {
  vault.require_owner();
  require_password(vault);
  const auto all = list(vault);
  const auto current = std::ranges::find(all, true, &CredentialInfo::current);
  const auto old = vault.slot();
  const bool named = current != all.end() && !current->name.empty();
  format::Statement statement;
  statement.slots_removed.push_back(old);
  const auto added = add_owners_slot(vault, owners_slot(vault, password, named ? current->name : options.name, options.kdf), std::move(statement));
  vault.store().remove(Folder::keys, old);
  return added;
}

CredentialInfo add_writer(repo::Vault& vault, const NewWriterOptions& options) {
  vault.require_owner();
  vault.refresh();  // keys may have been rotated while somebody typed
  refuse_taken(list(vault), options.name);
  const auto& keyring = vault.keyring();
  const auto domain = options.domain.empty() ? random_identifier<DomainId>() : keyring.domain_named(options.domain);
  const auto credential = keyring.make_writer(domain);
  keys::CredentialFile file;
  if (!options.password) file.key = keys::random_file_key();
  const keys::SlotOptions slot{options.password ? keys::choose_cost(options.kdf) : kNoStretching, options.name,
                               static_cast<std::uint64_t>(now_ns())};
  file.slot = keys::make_writer_slot(keyring, credential, vault.config_hash(), options.password ? *options.password : *file.key, slot);
  keys::write_credential_file(options.file, file, "a credential of mbu: adds snapshots to repository " + keyring.repository().hex().substr(0, 8) +
                                                      " and can read nothing");
  const auto id = store::put(vault.store(), Folder::keys, file.slot);
  format::Statement statement;
  statement.slots_added.push_back(id);
  const auto key = crypto::SigningKey(crypto::key_from(credential.signing_seed)).public_key();
  statement.admitted.push_back({key, options.name, domain, id});
  vault.publish(std::move(statement));
  return listed(vault, id);
}

CredentialInfo remove_credential(repo::Vault& vault, const std::string& text) {
  vault.require_owner();
  const auto all = list(vault);
  const auto info = find(all, text);
  format::Statement statement;
  statement.slots_removed.push_back(info.id);
  if (info.role == CredentialInfo::Role::owner) {
    const auto opens = [](const CredentialInfo& other) { return other.role == CredentialInfo::Role::owner && other.present; };
    if (std::ranges::count_if(all, opens) == (info.present ? 1 : 0)) {
      throw Error(Code::failed, "is the owner's last password: without it nobody could open the repository", info.name,
                  "add another before: mbu key add");
    }
  } else {
    for (const auto& [key, writer] : vault.constitution().writers) {
      if (writer.slot == info.id) statement.removed.push_back(removal_of(vault, key, writer.domain));
    }
  }
  vault.publish(std::move(statement));
  if (info.present) vault.store().remove(Folder::keys, info.id);
  return info;
}

Rotation rotate(repo::Vault& vault) {
  vault.require_owner();
  vault.refresh();
  const auto& keyring = vault.keyring();
  Rotation rotation{vault.constitution().generation + 1, {}};
  format::Statement statement;
  statement.sealing.push_back({rotation.generation, keyring.sealing_public(rotation.generation)});
  for (auto& info : list(vault)) {
    if (!info.present) {
      if (info.role == CredentialInfo::Role::owner) continue;  // has the root secret, should it come back
      throw Error(Code::failed, "its slot is missing or damaged: it cannot be given new keys", info.name,
                  "bring keys/" + info.id.hex() + " back from a copy of the repository, or remove it: mbu key remove");
    }
    const auto path = store::object_path(Folder::keys, info.id);
    const auto slot = format::decode_slot(store::read_verified(vault.store(), Folder::keys, info.id, format::kLargestSlot), path);
    const auto domain = info.domain.value_or(keys::main_domain());
    statement.grants.push_back({slot.public_key, rotation.generation, keyring.make_grant(slot.public_key, domain, rotation.generation)});
    rotation.granted.push_back(std::move(info));
  }
  vault.publish(std::move(statement));
  return rotation;
}

std::vector<repo::StoredSnapshot> list_unaccepted(const repo::Vault& vault) {
  vault.require_owner();
  std::vector<repo::StoredSnapshot> found;
  for (const auto& listed : vault.store().list(Folder::snapshots, false)) {
    try {
      auto snapshot = repo::open_snapshot(vault, listed.name);
      const auto& constitution = vault.constitution();
      const auto writer = constitution.admitted.find(snapshot.writer);
      const bool of_his_domain = writer != constitution.admitted.end() && writer->second.domain == snapshot.domain;
      const bool removed = of_his_domain && constitution.removed.contains(snapshot.writer);
      if (removed && !vault.is_admitted(snapshot.writer, snapshot.domain, Folder::snapshots, listed.name)) found.push_back(std::move(snapshot));
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
    }
  }
  repo::sort_by_time(found);
  return found;
}

std::vector<repo::StoredSnapshot> accept(repo::Vault& vault, const std::string& text) {
  const auto all = list_unaccepted(vault);
  std::vector<repo::StoredSnapshot> chosen;
  std::ranges::copy_if(all, std::back_inserter(chosen), [&](const auto& snapshot) { return snapshot.writer_name == text; });
  if (chosen.empty() && !text.empty()) {
    std::ranges::copy_if(all, std::back_inserter(chosen), [&](const auto& snapshot) { return snapshot.name.hex().starts_with(text); });
    if (chosen.size() > 1) throw Error(Code::usage, "several snapshots begin with this", text, "give more digits");
  }
  if (chosen.empty()) throw Error(Code::not_found, "there is no unaccepted snapshot of that id or writer", text, "list what there is: mbu key accept");
  format::Statement statement;
  for (const auto& snapshot : chosen) {
    format::Removal removal{snapshot.writer, {snapshot.name}, snapshot.snapshot.packs_added};
    // It leans on the packs of its bases, whether these are accepted or not.
    for (auto base = snapshot.snapshot.base; base;) {
      const auto found = std::ranges::find(all, *base, &repo::StoredSnapshot::name);
      if (found == all.end() || found->writer != snapshot.writer) break;
      const auto& packs = found->snapshot.packs_added;
      removal.accepted_packs.insert(removal.accepted_packs.end(), packs.begin(), packs.end());
      base = found->snapshot.base;
    }
    statement.removed.push_back(std::move(removal));
  }
  vault.publish(std::move(statement));
  return chosen;
}

}  // namespace mbu::ops
