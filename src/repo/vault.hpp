// Vault: an opened repository at rest. The store, the config, the keys one has, and what the owner's statements say.
// Everything above reads and writes objects through it.
//
// Immutable once opened, but for publish() and drop_owner(); any thread, as far as the store is.
#pragma once

#include <functional>
#include <memory>

#include "format/config.hpp"
#include "keys/credential_file.hpp"
#include "keys/slot.hpp"
#include "repo/constitution.hpp"
#include "store/store.hpp"

namespace mbu::repo {

// What a vault is opened with.
struct Unlock {
  std::optional<keys::CredentialFile> credential = {};  // nothing: one of the repository's own slots
  std::string credential_path = {};                     // for messages
  std::vector<Password> recovery_sheets = {};           // if any: then neither a credential nor a slot is used
  keys::Authenticator* authenticator = nullptr;         // then its slots only; not owned
  bool try_kept = false;                                // before a password is asked for: what was unlocked in this session or the desktop keeps
  std::uint32_t keep_seconds = 0;                       // what was unlocked stays so in this session for so long; 0: it does not
  bool any_kdf_cost = false;                            // derive whatever a slot asks for
  std::function<Password()> obtain = {};                // not called when there is nothing to open, or a credential has its key with it
};

// Something by a writer whom the owner has removed, and not accepted by the removal. It does not count, and is no damage.
class Unaccepted : public Error {
 public:
  using Error::Error;
};
// What is to be told of an object that cannot be used.
[[nodiscard]] CheckReport::Finding finding_of(const Error& error);

class Vault {
 public:
  // Makes a repository with one owner's slot and the first statement. The store must not hold one yet.
  [[nodiscard]] static InitResult create(std::unique_ptr<store::Store> store, const Password& password,
                                         const InitOptions& init, const std::string& slot_name);

  // Reads config and slots, opens a slot, reads the statements. Code::no_repository, Code::wrong_password, Code::corrupt.
  // A damaged or missing statement does not keep the owner out: it is in constitution().damage.
  [[nodiscard]] static std::unique_ptr<Vault> open(std::unique_ptr<store::Store> store, const Unlock& unlock);

  [[nodiscard]] store::Store& store() const noexcept { return *store_; }
  [[nodiscard]] const keys::Keyring& keyring() const noexcept { return *keyring_; }
  [[nodiscard]] const format::Config& config() const noexcept { return config_; }
  [[nodiscard]] const ObjectName& config_hash() const noexcept { return config_hash_; }
  // The slot that was opened; one that is only in a credential's file may not be in the store. Zero: by a recovery sheet.
  [[nodiscard]] const ObjectName& slot() const noexcept { return slot_; }
  [[nodiscard]] const Constitution& constitution() const noexcept { return constitution_; }

  // Throws unless this key may sign the object of that name and domain: Unaccepted when the owner removed it, else Code::corrupt.
  void require_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder, const ObjectName& name) const;
  // Throws Code::store when the repository is gone, or another has come to its place.
  void require_same_repository() const;
  // Reads the statements again if others are there than were, and takes them in unless one that was read before is missing or damaged now. Whether
  // they were taken in. Throws as require_same_repository(). Nobody else uses the vault meanwhile.
  bool refresh();
  // Whether writers of more domains than this one were ever admitted.
  [[nodiscard]] bool has_other_domains(const DomainId& domain) const noexcept;
  // Whether this key may sign the pack, index or snapshot of that name and domain.
  [[nodiscard]] bool is_admitted(const PublicKey& writer, const DomainId& domain, store::Folder folder,
                                 const ObjectName& name) const;
  // Says the statement: its number, time and place among the others are set here. Durable when it returns. Code::forbidden without the
  // owner's half. Nobody else uses the vault meanwhile.
  void publish(format::Statement statement);
  // As Keyring::drop_owner(). Nobody else uses the vault meanwhile.
  void drop_owner() { keyring_->drop_owner(); }
  // Throws Code::forbidden, with what it takes, unless this is the owner's.
  void require_owner() const;
  // Throws Code::failed when the repository has a feature that this version must not write beside, Code::forbidden when nobody would
  // accept what this keyring signs.
  void require_writable() const;

 private:
  Vault() = default;
  void take_in(Constitution constitution);

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<keys::Keyring> keyring_;
  format::Config config_;
  ObjectName config_hash_;
  ObjectName slot_;
  Constitution constitution_;
};

// The config object's bytes, checked. Code::no_repository when there is none, Code::corrupt.
struct ReadConfig {
  format::Config config;
  ObjectName hash;
};
[[nodiscard]] ReadConfig read_config(store::Store& store);

}  // namespace mbu::repo
