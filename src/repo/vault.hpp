// Vault: an opened repository at rest. The store, the config, the keys one has, and what the owner's statements say.
// Everything above reads and writes objects through it.
//
// Immutable once opened, but for drop_owner(); any thread, as far as the store is.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "format/config.hpp"
#include "format/statement.hpp"
#include "keys/keyring.hpp"
#include "keys/slot.hpp"
#include "mbu/types/results.hpp"
#include "store/store.hpp"

namespace mbu::repo {

// What all statements that have arrived say together (FORMAT.md §9).
struct Constitution {
  // What of a writer that was removed counts nevertheless.
  struct Accepted {
    std::set<ObjectName> snapshots, packs;
  };
  std::map<PublicKey, DomainId> writers;  // admitted and not removed
  std::map<PublicKey, Accepted> removed;
  std::vector<std::string> features;      // required to write, and unknown
  std::vector<ObjectName> heads;          // statements that no other names
  std::set<ObjectName> slots;             // added and not removed
  std::uint32_t generation = keys::kFirstGeneration;  // of sealing and domain keys: the current one
  format::ChunkerParameters chunker;
  std::vector<CheckReport::Finding> damage;  // statements and slots that are missing or damaged
};

class Vault {
 public:
  // Makes a repository with one owner's slot and the first statement. The store must not hold one yet.
  [[nodiscard]] static InitResult create(std::unique_ptr<store::Store> store, const Password& password,
                                         const InitOptions& init, const std::string& slot_name);

  // Reads config and slots, opens a slot with the password that `obtain` gives, reads the statements.
  // Code::no_repository, Code::wrong_password, Code::corrupt. `obtain` is not called when there is nothing to open.
  // A damaged or missing statement does not keep the owner out: it is in constitution().damage.
  [[nodiscard]] static std::unique_ptr<Vault> open(std::unique_ptr<store::Store> store,
                                                   const std::function<Password()>& obtain);

  [[nodiscard]] store::Store& store() const noexcept { return *store_; }
  [[nodiscard]] const keys::Keyring& keyring() const noexcept { return *keyring_; }
  [[nodiscard]] const format::Config& config() const noexcept { return config_; }
  [[nodiscard]] const ObjectName& config_hash() const noexcept { return config_hash_; }
  [[nodiscard]] const Constitution& constitution() const noexcept { return constitution_; }

  // Whether this key may sign the pack, index or snapshot of that name and domain.
  [[nodiscard]] bool is_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder,
                                 const ObjectName& name) const;
  // As Keyring::drop_owner(). Nobody else uses the vault meanwhile.
  void drop_owner() { keyring_->drop_owner(); }
  // Throws Code::failed when the repository has a feature that this version must not write beside, Code::forbidden when nobody would
  // accept what this keyring signs.
  void require_writable() const;

 private:
  Vault() = default;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<keys::Keyring> keyring_;
  format::Config config_;
  ObjectName config_hash_;
  Constitution constitution_;
};

// The config object's bytes, checked. Code::no_repository when there is none, Code::corrupt.
struct ReadConfig {
  format::Config config;
  ObjectName hash;
};
[[nodiscard]] ReadConfig read_config(store::Store& store);

}  // namespace mbu::repo
