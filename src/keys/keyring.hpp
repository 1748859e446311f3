// The keys one has in hand after a slot was opened, derived from the owner's root secret as FORMAT.md §3 says.
//
// A writer's keyring lacks what is the owner's, and an owner's can give that up (drop_owner()). What needs it throws Code::forbidden: opening
// what is sealed to the repository (packs, snapshots), the owner's signature, other domains. A writer's half names chunks, reads the tables of
// contents and the indexes of its own domain, seals and signs.
//
// Any thread, once it is known which generation is current and nobody drops the owner's half any more.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "chunk/chunker.hpp"
#include "crypto/hash.hpp"
#include "crypto/public_key.hpp"
#include "format/slot.hpp"

namespace mbu::keys {

// ASCII "main": the owner's own domain.
[[nodiscard]] DomainId main_domain() noexcept;

// What deduplicating in one domain and generation takes.
struct DomainKeys {
  DomainId id;
  std::uint32_t generation = 0;
  crypto::Key data_id, list_id, page_id;  // chunk ids by what the chunk is
  crypto::Key index;                      // opens tocs and indexes
  chunk::GearTable gear;
  std::array<std::uint8_t, 16> page_cut{};
  std::array<std::uint8_t, 16> link{};

  // `secret`: D of FORMAT.md §3.
  [[nodiscard]] static DomainKeys derive_from(const DomainId& id, std::uint32_t generation, const crypto::Key& secret);
};

// Generations count from here.
inline constexpr std::uint32_t kFirstGeneration = 1;

class Keyring {
 public:
  // From the root secret: the owner's. The first generation is current.
  Keyring(const crypto::Key& root, const RepositoryId& repository);
  // From a writer's credential. The newest of its generations is current.
  Keyring(const format::WriterCredential& credential, const RepositoryId& repository);

  [[nodiscard]] const RepositoryId& repository() const noexcept { return repository_; }
  // Whether the owner's half is in hand.
  [[nodiscard]] bool is_owner() const noexcept { return owner_.has_value(); }
  // Whether the owner's own writer signs with it, who needs no admission: also once drop_owner() has been called.
  [[nodiscard]] bool is_owners_writer() const noexcept { return given_sealing_.empty(); }
  // From now on this is a writer's: the owner's secrets are wiped. No reference to another domain's keys may be in use.
  void drop_owner();
  // Code::forbidden without the owner's half, as all that needs it.
  [[nodiscard]] const crypto::Key& root() const { return owners().root; }
  [[nodiscard]] const crypto::SigningKey& owner_signer() const { return owners().signer; }
  [[nodiscard]] const crypto::SigningKey& writer_signer() const noexcept { return writer_; }
  [[nodiscard]] const crypto::Key& common() const noexcept { return common_; }
  // What new objects are written under: the keys of the own domain (the owner's: main) and the current generation.
  [[nodiscard]] const DomainKeys& own_domain() const noexcept { return *own_; }
  // Before the keyring is shared. A writer's stays at the newest generation that it was given.
  void set_current_generation(std::uint32_t generation);
  // Of any domain and generation, for reading. Derived on first use, then kept; the reference stays valid.
  [[nodiscard]] const DomainKeys& domain_keys(const DomainId& domain, std::uint32_t generation) const;
  // The credential of a new writer in that domain: fresh keys of its own, and what it must have of the current generation.
  [[nodiscard]] format::WriterCredential make_writer(const DomainId& domain) const;
  // Domains have names among people; from equal names come equal domains. "main" is the owner's.
  [[nodiscard]] DomainId domain_named(const std::string& name) const;
  // Opens that domain's indexes and tocs.
  [[nodiscard]] crypto::Key index_key(const DomainId& domain, std::uint32_t generation) const;

  // To which new objects are sealed.
  [[nodiscard]] const PublicKey& sealing_public() const noexcept { return sealing_public_; }
  // Opens a key sealed to the repository. Code::corrupt naming `subject` when it was not.
  [[nodiscard]] crypto::Key open_sealed(std::uint32_t generation, ByteView sealed, const std::string& subject) const;

  // A key for what this machine keeps in its cache; nobody else's cache opens with it.
  [[nodiscard]] const crypto::Key& cache_key() const noexcept { return cache_key_; }

 private:
  struct Owner {
    crypto::Key root;
    crypto::SigningKey signer;
  };
  [[nodiscard]] const Owner& owners() const;
  [[nodiscard]] crypto::Key sealing_secret(std::uint32_t generation) const;

  RepositoryId repository_;
  std::optional<Owner> owner_;
  crypto::SigningKey writer_;
  crypto::Key common_;
  crypto::Key cache_key_;
  PublicKey sealing_public_;  // of the current generation
  std::map<std::uint32_t, PublicKey> given_sealing_;  // a writer's
  struct Derived {
    std::mutex mutex;
    std::map<std::pair<DomainId, std::uint32_t>, std::unique_ptr<const DomainKeys>> keys;
  };
  std::unique_ptr<Derived> derived_ = std::make_unique<Derived>();
  const DomainKeys* own_ = nullptr;
};

}  // namespace mbu::keys
