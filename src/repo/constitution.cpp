#include "repo/constitution.hpp"

#include <algorithm>

#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

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

struct ReadStatement {
  ObjectName name;
  format::Statement statement;
};

std::vector<ReadStatement> read_statements(store::Store& store, const std::vector<store::Listed>& listing, const keys::Keyring& keyring,
                                           const PublicKey& owner, std::vector<CheckReport::Finding>& damage) {
  std::vector<ReadStatement> all;
  for (const auto& listed : listing) {
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
  std::set<ObjectName> named;
  auto& present = result.readable;
  auto& removed_slots = result.removed_slots;
  std::pair<std::uint64_t, ObjectName> newest{0, {}};
  for (const auto& [name, statement] : all) {
    present.insert(name);
    named.insert(statement.previous.begin(), statement.previous.end());
    for (const auto& writer : statement.admitted) {
      result.admitted.emplace(writer.public_key, Constitution::Writer{writer.domain, writer.name, writer.slot});
    }
    for (const auto& key : statement.sealing) result.sealing.insert_or_assign(key.generation, key.public_key);
    result.grants.insert(result.grants.end(), statement.grants.begin(), statement.grants.end());
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
    result.pins.insert(statement.pins.begin(), statement.pins.end());
    result.forgotten.insert(statement.forgets.begin(), statement.forgets.end());
    result.largest_number = std::max(result.largest_number, statement.number);
    if (statement.chunker && std::pair(statement.number, name) > newest) {
      newest = {statement.number, name};
      result.chunker = *statement.chunker;
    }
  }
  if (!result.sealing.empty()) result.generation = result.sealing.rbegin()->first;
  result.writers = result.admitted;
  for (const auto& [key, accepted] : result.removed) result.writers.erase(key);
  for (const auto& name : result.pins) result.forgotten.erase(name);
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

Constitution read_constitution(store::Store& store, const keys::Keyring& keyring, const PublicKey& owner) {
  std::vector<CheckReport::Finding> damage;
  const auto listing = store.list(store::Folder::statements, false);
  const auto statements = read_statements(store, listing, keyring, owner, damage);
  auto result = unite(statements, std::move(damage));
  for (const auto& listed : listing) result.statements.insert(listed.name);
  if (statements.empty()) result.damage.push_back({"state/", "holds no statement that can be read"});
  if (keyring.is_owners_writer()) {  // the owner's own writer needs no admission (FORMAT.md §3)
    const auto own = keyring.writer_signer().public_key();
    if (!result.removed.contains(own)) result.writers.emplace(own, Constitution::Writer{keys::main_domain(), {}, {}});
  }

  std::set<ObjectName> slots;
  for (const auto& listed : store.list(store::Folder::keys, false)) slots.insert(listed.name);
  for (const auto& name : result.slots) {
    if (!slots.contains(name)) result.damage.push_back({store::object_path(store::Folder::keys, name), "is missing"});
  }
  return result;
}

}  // namespace mbu::repo
