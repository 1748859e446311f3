#include "repo/vault.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestSlot = 64 * 1024;
constexpr std::size_t kLargestStatement = 64 * 1024 * 1024;

// Features that this version knows (FORMAT.md §9).
constexpr std::string_view kKnownFeatures[] = {"solid-blocks"};

bool is_unknown(const format::Feature& feature) { return std::ranges::count(kKnownFeatures, feature.name) == 0; }

// A statement that requires an unknown feature to read stops this version.
void check_features(const format::Statement& statement, const std::string& subject) {
  for (const auto& feature : statement.features) {
    if (feature.required != format::Feature::Required::to_read || !is_unknown(feature)) continue;
    throw Error(Code::failed, "requires the feature \"" + feature.name + "\", which this mbu does not know", subject,
                "update mbu");
  }
}

// Opens the first slot that the password fits. Damaged slots are only reported when no other opens.
crypto::Key unlock(store::Store& store, const ObjectName& config_hash, const std::function<Password()>& obtain) {
  std::optional<Error> damage;
  std::vector<std::pair<std::string, ByteBuffer>> slots;
  for (const auto& listed : store.list(store::Folder::keys, false)) {
    const auto path = store::object_path(store::Folder::keys, listed.name);
    try {
      slots.emplace_back(path, store::read_verified(store, store::Folder::keys, listed.name, kLargestSlot));
      format::check_kdf_cost(format::decode_slot(slots.back().second, path), path);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      damage = error;
      if (!slots.empty() && slots.back().first == path) slots.pop_back();
    }
  }
  if (slots.empty()) {
    if (damage) throw *damage;
    throw Error(Code::corrupt, "holds no slot: no password can open this repository", "keys/",
                "bring keys/ back from a copy of the repository");
  }
  const Password password = obtain();
  for (const auto& [path, bytes] : slots) {
    try {
      if (auto root = keys::open_owner_slot(bytes, config_hash, password, path)) return std::move(*root);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      damage = error;
    }
  }
  if (damage) throw *damage;
  throw Error(Code::wrong_password, "wrong password", store.location());
}

struct ReadStatement {
  ObjectName name;
  format::Statement statement;
};

std::vector<ReadStatement> read_statements(store::Store& store, const keys::Keyring& keyring, const PublicKey& owner,
                                           std::vector<CheckReport::Finding>& damage) {
  std::vector<ReadStatement> all;
  for (const auto& listed : store.list(store::Folder::statements, false)) {
    const auto path = store::object_path(store::Folder::statements, listed.name);
    try {
      const auto bytes = store::read_verified(store, store::Folder::statements, listed.name, kLargestStatement);
      const auto object = open_object(keyring, format::ObjectKind::statement, bytes, path);
      if (object.signer != owner) throw Error(Code::corrupt, "is not signed by the owner", path);
      all.push_back({listed.name, format::decode_statement(object.plain, path)});
      check_features(all.back().statement, path);
    } catch (const Error& error) {
      if (error.code() != Code::corrupt) throw;
      damage.push_back({path, error.happened()});
    }
  }
  return all;
}

Constitution unite(const std::vector<ReadStatement>& all, std::vector<CheckReport::Finding> damage) {
  Constitution result;
  const chunk::Parameters usual;
  result.chunker = {usual.minimum, usual.normal, usual.maximum};
  result.damage = std::move(damage);
  std::set<ObjectName> present, named, removed_slots;
  std::pair<std::uint64_t, ObjectName> newest{0, {}};
  for (const auto& [name, statement] : all) {
    present.insert(name);
    named.insert(statement.previous.begin(), statement.previous.end());
    for (const auto& writer : statement.admitted) result.writers.emplace(writer.public_key, writer.domain);
    for (const auto& key : statement.sealing) result.generation = std::max(result.generation, key.generation);
    for (const auto& removal : statement.removed) {
      auto& accepted = result.removed[removal.public_key];
      accepted.snapshots.insert(removal.accepted_snapshots.begin(), removal.accepted_snapshots.end());
      accepted.packs.insert(removal.accepted_packs.begin(), removal.accepted_packs.end());
    }
    for (const auto& feature : statement.features) {
      if (feature.required == format::Feature::Required::to_write && is_unknown(feature)) result.features.push_back(feature.name);
    }
    result.slots.insert(statement.slots_added.begin(), statement.slots_added.end());
    removed_slots.insert(statement.slots_removed.begin(), statement.slots_removed.end());
    if (statement.chunker && std::pair(statement.number, name) > newest) {
      newest = {statement.number, name};
      result.chunker = *statement.chunker;
    }
  }
  for (const auto& [key, accepted] : result.removed) result.writers.erase(key);
  for (const auto& name : removed_slots) result.slots.erase(name);
  for (const auto& name : present) {
    if (!named.contains(name)) result.heads.push_back(name);
  }
  for (const auto& name : named) {
    if (!present.contains(name)) {
      result.damage.push_back({store::object_path(store::Folder::statements, name), "is missing"});
    }
  }
  return result;
}

}  // namespace

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
  const auto slot = keys::make_owner_slot(keyring, root, config_hash, password, cost, slot_name,
                                          static_cast<std::uint64_t>(now_ns));
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

std::unique_ptr<Vault> Vault::open(std::unique_ptr<store::Store> store, const std::function<Password()>& obtain) {
  auto vault = std::unique_ptr<Vault>(new Vault());
  const auto read = read_config(*store);
  vault->config_ = read.config;
  vault->config_hash_ = read.hash;
  const auto root = unlock(*store, read.hash, obtain);
  vault->keyring_ = std::make_unique<keys::Keyring>(root, read.config.repository);
  if (vault->keyring_->owner_signer().public_key() != read.config.owner) {
    throw Error(Code::corrupt, "names another owner than the slots do", "config");
  }
  std::vector<CheckReport::Finding> damage;
  const auto statements = read_statements(*store, *vault->keyring_, read.config.owner, damage);
  vault->constitution_ = unite(statements, std::move(damage));
  auto& constitution = vault->constitution_;
  vault->keyring_->set_current_generation(constitution.generation);
  if (statements.empty()) constitution.damage.push_back({"state/", "holds no statement that can be read"});
  // The owner's own writer needs no admission (FORMAT.md §3).
  const auto own = vault->keyring_->writer_signer().public_key();
  if (!constitution.removed.contains(own)) constitution.writers.emplace(own, keys::main_domain());

  std::set<ObjectName> slots;
  for (const auto& listed : store->list(store::Folder::keys, false)) slots.insert(listed.name);
  for (const auto& name : constitution.slots) {
    if (slots.contains(name)) continue;
    constitution.damage.push_back({store::object_path(store::Folder::keys, name), "is missing"});
  }
  vault->store_ = std::move(store);
  return vault;
}

bool Vault::is_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder,
                        const ObjectName& name) const {
  if (const auto removed = constitution_.removed.find(writer); removed != constitution_.removed.end()) {
    const auto& accepted = removed->second;
    return (folder == store::Folder::snapshots && accepted.snapshots.contains(name)) ||
           (folder == store::Folder::packs && accepted.packs.contains(name));
  }
  const auto found = constitution_.writers.find(writer);
  return found != constitution_.writers.end() && found->second == domain;
}

void Vault::require_writable() const {
  if (!constitution_.features.empty()) {
    throw Error(Code::failed, "has the feature \"" + constitution_.features.front() + "\", beside which this mbu must not write",
                store_->location(), "update mbu");
  }
  if (!constitution_.writers.contains(keyring_->writer_signer().public_key())) {
    throw Error(Code::forbidden, "accepts nothing more from this writer: the owner removed him", store_->location());
  }
}

}  // namespace mbu::repo
