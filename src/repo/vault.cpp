#include "repo/vault.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "keys/desktop.hpp"
#include "keys/recovery_sheet.hpp"
#include "keys/session.hpp"
#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestSlot = 64 * 1024;

// A slot of the store, or of a credential's file.
struct FoundSlot {
  std::string path;
  ObjectName name;
  ByteBuffer bytes;
  bool is_owners = false;
  bool takes_password = true;
  double cost = 0;  // of deriving, about, in KiB times passes of Argon2id
};

// What was unlocked, and what the owner's statements say to who has it.
struct Opened {
  Opened(keys::Unlocked unlocked, const ObjectName& of, store::Store& store, const format::Config& config)
      : secrets(std::move(unlocked)),
        slot(of),
        keyring(keys::make_keyring(secrets, config.repository)),
        constitution(read_constitution(store, *keyring, config.owner)) {}
  // The owner has removed the slot: it opens nothing, though a carrier may have brought it back.
  [[nodiscard]] bool is_removed() const { return constitution.removed_slots.contains(slot); }

  keys::Unlocked secrets;
  ObjectName slot;
  std::unique_ptr<keys::Keyring> keyring;
  Constitution constitution;
};

// Owners' slots in front: theirs are most passwords that people type. Of these, the cheap ones first: who plants dear ones delays nobody whose password fits.
std::vector<FoundSlot> find_slots(store::Store& store, bool any_kdf_cost, std::optional<Error>& damage, std::optional<Error>& too_dear) {
  std::vector<FoundSlot> slots;
  for (const auto& listed : store.list(store::Folder::keys, false)) {
    FoundSlot found{store::object_path(store::Folder::keys, listed.name), listed.name, {}};
    auto* refusal = &damage;
    try {
      found.bytes = store::read_verified(store, store::Folder::keys, listed.name, kLargestSlot);
      const auto slot = format::decode_slot(found.bytes, found.path);
      refusal = &too_dear;
      format::check_kdf_cost(slot, found.path, any_kdf_cost);
      found.is_owners = slot.role == format::Role::owner;
      found.takes_password = slot.kdf != format::SlotKdf::fido2;
      constexpr double kRoundsOfPbkdf2 = 3;  // are as dear as one
      const auto units = static_cast<double>(slot.passes);
      found.cost = slot.kdf == format::SlotKdf::argon2id ? units * slot.memory_kib : units / kRoundsOfPbkdf2;
      slots.push_back(std::move(found));
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      *refusal = error;
    }
  }
  std::ranges::stable_sort(slots, {}, [](const FoundSlot& slot) { return std::pair(!slot.is_owners, slot.cost); });
  return slots;
}

// Opens the first slot that the password fits and that was not removed. Damaged slots, and those that cost more than is usual, are only reported when no
// other opens: anybody can put some there.
Opened open_by_password(store::Store& store, const ReadConfig& config, const Unlock& unlock, const std::function<Password()>& obtain) {
  constexpr const char* kInsist = "if you know that it is right: --any-kdf-cost";
  std::optional<Error> damage, too_dear;
  const auto slots = find_slots(store, unlock.any_kdf_cost, damage, too_dear);
  if (slots.empty()) {
    if (too_dear) throw Error(Code::corrupt, too_dear->happened(), too_dear->subject(), kInsist);
    if (damage) throw *damage;
    throw Error(Code::corrupt, "holds no slot: no password can open this repository", "keys/",
                "bring keys/ back from a copy of the repository");
  }
  if (std::ranges::none_of(slots, &FoundSlot::takes_password)) {
    throw Error(Code::wrong_password, "takes a security key", store.location(), "plug it in: --security-key");
  }
  const Password password = obtain();
  std::optional<Opened> removed;
  for (const auto& slot : slots) {
    try {
      auto secrets = keys::open_slot(slot.bytes, config.hash, password, slot.path, unlock.any_kdf_cost);
      if (!secrets) continue;
      Opened opened(std::move(*secrets), slot.name, store, config.config);
      if (!opened.is_removed()) return opened;
      removed = std::move(opened);
    } catch (const Error& error) {
      const bool has_no_bounds = unlock.any_kdf_cost && error.code() == Code::failed;  // asks for more memory than there is
      if (error.code() != Code::corrupt && !has_no_bounds) throw;
      damage = error;
    }
  }
  if (removed) return std::move(*removed);  // open() says what is wrong with it
  if (damage) throw *damage;
  throw Error(Code::wrong_password, "wrong password", store.location(),
              too_dear ? "a slot that costs more than is usual was not tried; " + std::string(kInsist) : "");
}

Opened open_credential(store::Store& store, const ReadConfig& config, const Unlock& unlock) {
  const auto& [slot, key] = *unlock.credential;
  std::optional<Password> asked;
  if (!key) asked = unlock.obtain();
  std::optional<keys::Unlocked> secrets;
  try {
    secrets = keys::open_slot(slot, config.hash, key ? *key : *asked, unlock.credential_path, unlock.any_kdf_cost);
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    throw Error(Code::wrong_password, "the credential " + error.happened(), unlock.credential_path);
  }
  if (secrets) return {std::move(*secrets), ObjectName::from(crypto::sha256(slot)), store, config.config};
  throw Error(Code::wrong_password, key ? "the credential is damaged: its key does not open it" : "wrong password", unlock.credential_path);
}

// By what this session or the desktop keeps; nothing when it opens nothing any more.
std::optional<Opened> open_by_kept(store::Store& store, const ReadConfig& config, const Unlock& unlock) {
  const auto& repository = config.config.repository;
  if (auto found = keys::find_in_session(repository)) {
    Opened opened(std::move(found->secrets), found->slot, store, config.config);
    if (!opened.is_removed()) return opened;
    keys::drop_from_session(repository);
  }
  auto password = keys::find_on_desktop(repository);
  if (!password) return std::nullopt;
  try {
    auto opened = open_by_password(store, config, unlock, [&] { return std::move(*password); });
    if (!opened.is_removed()) return opened;
  } catch (const Error& error) {
    // It may have been changed. What else is wrong is found by who asks for a password.
    if (error.code() != Code::wrong_password && error.code() != Code::corrupt) throw;
  }
  return std::nullopt;
}

Opened open_by_authenticator(store::Store& store, const ReadConfig& config, const Unlock& unlock) {
  std::optional<Error> damage, too_dear;
  std::optional<Opened> removed;
  for (const auto& slot : find_slots(store, unlock.any_kdf_cost, damage, too_dear)) {
    try {
      auto secrets = keys::open_slot(slot.bytes, config.hash, *unlock.authenticator, slot.path);
      if (!secrets) continue;
      Opened opened(std::move(*secrets), slot.name, store, config.config);
      if (!opened.is_removed()) return opened;
      removed = std::move(opened);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      damage = error;
    }
  }
  if (removed) return std::move(*removed);  // open() says what is wrong with it
  if (damage) throw *damage;
  throw Error(Code::wrong_password, "does not open with this security key", store.location(), "give a password, and add the key: mbu key add --on-security-key");
}

Opened open_any(store::Store& store, const ReadConfig& config, const Unlock& unlock) {
  if (!unlock.recovery_sheets.empty()) {
    return {keys::OwnerSecrets{keys::decode_recovery_sheets(unlock.recovery_sheets, config.config.repository), {}, false}, {}, store, config.config};
  }
  if (unlock.credential) return open_credential(store, config, unlock);
  if (unlock.authenticator != nullptr) return open_by_authenticator(store, config, unlock);
  if (unlock.try_kept) {
    if (auto opened = open_by_kept(store, config, unlock)) return std::move(*opened);
  }
  return open_by_password(store, config, unlock, unlock.obtain);
}

}  // namespace

CheckReport::Finding finding_of(const Error& error) {
  CheckReport::Finding finding{error.subject(), error.happened()};
  finding.is_note = dynamic_cast<const Unaccepted*>(&error) != nullptr;
  return finding;
}

ReadConfig read_config(store::Store& store) {
  const auto bytes = store.read_config();
  if (!bytes) {
    throw Error(Code::no_repository, "there is no repository", store.location(), "make one: mbu init");
  }
  // The checksum first: a flipped bit in the version must not pass for a newer one. Every version has it in this place.
  if (bytes->size() >= format::kConfigSize &&
      !std::ranges::equal(crypto::sha256(ByteView(*bytes).first(format::kConfigHeadSize)),
                          ByteView(*bytes).subspan(format::kConfigHeadSize, sizeof(crypto::Digest)))) {
    throw Error(Code::corrupt, "is damaged: its checksum does not fit", "config",
                "bring config back from a copy of the repository");
  }
  const auto decoded = format::decode_config(*bytes, "config");
  return {decoded.config, ObjectName::from(crypto::sha256(*bytes))};
}

InitResult Vault::create(std::unique_ptr<store::Store> store, const Password& password, const InitOptions& init,
                         const std::string& slot_name) {
  const auto cost = keys::choose_cost(init);
  const auto root = crypto::random_key();
  const auto id = random_identifier<RepositoryId>();
  const keys::Keyring keyring(root, id);
  const format::Config config{id, keyring.owner_signer().public_key()};
  auto config_bytes = format::encode_config_head(config);
  append(config_bytes, crypto::sha256(config_bytes));
  const auto config_hash = ObjectName::from(crypto::sha256(config_bytes));

  const auto now = system_clock().wall();
  const auto now_ns = now.seconds * 1'000'000'000 + now.nanoseconds;
  const auto slot = keys::make_owner_slot(keyring, root, config_hash, password, {cost, slot_name, static_cast<std::uint64_t>(now_ns)});
  const auto slot_hash = ObjectName::from(crypto::sha256(slot));
  format::Statement first;
  first.number = 1;
  first.time_ns = now_ns;
  first.features.push_back({"solid-blocks", format::Feature::Required::to_read});
  first.sealing.push_back({keys::kFirstGeneration, keyring.sealing_public()});
  const chunk::Parameters chunker;
  first.chunker = format::ChunkerParameters{chunker.minimum, chunker.normal, chunker.maximum};
  first.admitted.push_back({keyring.writer_signer().public_key(), slot_name, keys::main_domain()});
  first.slots_added.push_back(slot_hash);
  const auto statement = seal_object(keyring, format::ObjectKind::statement, keyring.owner_signer(),
                                     format::encode_statement(first));

  store->create(config_bytes, {{store::Folder::keys, slot}, {store::Folder::statements, statement}});
  return {id, store->location(), slot_hash.hex()};
}

std::unique_ptr<Vault> Vault::open(std::unique_ptr<store::Store> store, const Unlock& unlock) {
  auto vault = std::unique_ptr<Vault>(new Vault());
  const auto read = read_config(*store);
  vault->config_ = read.config;
  vault->config_hash_ = read.hash;
  auto opened = open_any(*store, read, unlock);
  vault->slot_ = opened.slot;
  vault->keyring_ = std::move(opened.keyring);
  if (vault->keyring_->is_owner() && vault->keyring_->owner_signer().public_key() != read.config.owner) {
    if (!unlock.recovery_sheets.empty()) throw Error(Code::wrong_password, "the sheet is not this repository's", store->location());
    throw Error(Code::corrupt, "names another owner than the slots do", "config");
  }
  if (opened.is_removed()) throw Error(Code::wrong_password, "the owner has removed this password or credential", store->location());
  vault->take_in(std::move(opened.constitution));
  if (unlock.keep_seconds > 0) keys::keep_in_session(read.config.repository, opened.secrets, opened.slot, unlock.keep_seconds);
  vault->store_ = std::move(store);
  return vault;
}

void Vault::publish(format::Statement statement) {
  statement.previous = constitution_.heads;
  statement.number = constitution_.largest_number + 1;
  const auto now = system_clock().wall();
  statement.time_ns = now.seconds * 1'000'000'000 + now.nanoseconds;
  const auto object = seal_object(*keyring_, format::ObjectKind::statement, keyring_->owner_signer(), format::encode_statement(statement));
  store::put(*store_, store::Folder::statements, object);
  take_in(read_constitution(*store_, *keyring_, config_.owner));
}

// With the keys that the owner has granted meanwhile. A grant that does not open is a damaged one: what was given before goes on to serve.
void Vault::take_in(Constitution constitution) {
  constitution_ = std::move(constitution);
  for (const auto& grant : constitution_.grants) {
    const auto sealing = constitution_.sealing.find(grant.generation);
    if (keyring_->is_owner() || grant.slot_public_key != keyring_->grantee() || sealing == constitution_.sealing.end()) continue;
    try {
      keyring_->take_grant(grant.generation, grant.sealed, sealing->second);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      constitution_.damage.push_back({"state/", error.happened()});
    }
  }
  keyring_->set_current_generation(constitution_.generation);
}

void Vault::require_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder, const ObjectName& name) const {
  if (is_admitted(writer, domain, folder, name)) return;
  const auto path = store::object_path(folder, name);
  if (!constitution_.removed.contains(writer)) throw Error(Code::corrupt, "is signed by a writer who was never admitted", path);
  const auto known = constitution_.admitted.find(writer);
  const std::string who = known == constitution_.admitted.end() ? "" : " " + known->second.name;
  throw Unaccepted(Code::corrupt, "is not accepted: the owner removed its writer" + who, path);
}

void Vault::require_same_repository() const {
  const auto config = store_->read_config();
  if (config && ObjectName::from(crypto::sha256(*config)) == config_hash_) return;
  throw Error(Code::store, config ? "another repository is in its place" : "the repository is gone", store_->location(),
              "mount the disk it is on, or bring it back to its place");
}

bool Vault::refresh() {
  const auto listed = store_->list(store::Folder::statements, false);
  const bool same = listed.size() == constitution_.statements.size() &&
                    std::ranges::all_of(listed, [&](const store::Listed& object) { return constitution_.statements.contains(object.name); });
  if (same) return false;
  require_same_repository();
  auto fresh = read_constitution(*store_, *keyring_, config_.owner);
  const auto is_known = [&](const ObjectName& name) { return fresh.readable.contains(name); };
  if (!std::ranges::all_of(constitution_.readable, is_known)) return false;
  take_in(std::move(fresh));
  return true;
}

bool Vault::has_other_domains(const DomainId& domain) const noexcept {
  // The owner needs no admission.
  const auto is_other = [&](const auto& admitted) { return admitted.second.domain != domain; };
  return domain != keys::main_domain() || std::ranges::any_of(constitution_.admitted, is_other);
}

bool Vault::is_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder,
                        const ObjectName& name) const {
  if (const auto removed = constitution_.removed.find(writer); removed != constitution_.removed.end()) {
    const auto& accepted = removed->second;
    return (folder == store::Folder::snapshots && accepted.snapshots.contains(name)) ||
           (folder == store::Folder::packs && accepted.packs.contains(name));
  }
  const auto found = constitution_.writers.find(writer);
  return found != constitution_.writers.end() && found->second.domain == domain;
}

void Vault::require_owner() const {
  if (keyring_->is_owner()) return;
  throw Error(Code::forbidden, "this credential adds snapshots and can read nothing", store_->location(), "it takes the owner's password");
}

void Vault::require_writable() const {
  if (!constitution_.features.empty()) {
    throw Error(Code::failed, "has the feature \"" + constitution_.features.front() + "\", beside which this mbu must not write",
                store_->location(), "update mbu");
  }
  const auto admitted = constitution_.writers.find(keyring_->writer_signer().public_key());
  if (admitted != constitution_.writers.end() && admitted->second.domain == keyring_->own_domain().id) return;
  if (constitution_.removed.contains(keyring_->writer_signer().public_key())) {
    throw Error(Code::forbidden, "accepts nothing more from this writer: the owner removed him", store_->location());
  }
  throw Error(Code::forbidden, "does not know this writer", store_->location(), "the owner's statement that admits him may not have arrived here yet");
}

}  // namespace mbu::repo
