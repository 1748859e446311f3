// The keys one has in hand after a slot was opened, derived from the owner's root secret as FORMAT.md §3 says.
//
// A writer's keyring lacks what is the owner's, and an owner's can give that up (drop_owner()). What needs it throws Code::forbidden: opening
// what is sealed to the repository (packs, snapshots), the owner's signature, other domains. A writer's half names chunks, reads the tables of
// contents and the indexes of its own domain, seals and signs. Keys of later generations come to it as grants, sealed to its slot.
//
// Any thread, while nobody takes in grants, says which generation is current, or drops the owner's half.
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
  std::array<std::uint8_t, 16> link{};    // of all generations: names of one file must find each other, whenever they were packaged

  // `secret` and `common`: D and C of FORMAT.md §3.
  [[nodiscard]] static DomainKeys derive_from(const DomainId& id, std::uint32_t generation, const crypto::Key& secret, const crypto::Key& common);
};

// Generations count from here.
inline constexpr std::uint32_t kFirstGeneration = 1;

class Keyring {
 public:
  // From the root secret: the owner's. The first generation is current. `pair`: the X25519 secret of the slot, if it came from one.
  Keyring(const crypto::Key& root, const RepositoryId& repository, const crypto::Key* pair = nullptr);
  // From a writer's credential. The newest of its generations is current.
  Keyring(const format::WriterCredential& credential, const RepositoryId& repository);

  [[nodiscard]] const RepositoryId& repository() const noexcept { return repository_; }
  // Whether the owner's half is in hand.
  [[nodiscard]] bool is_owner() const noexcept { return owner_.has_value(); }
  // Whether the owner's own writer signs with it, who needs no admission: also once drop_owner() has been called.
  [[nodiscard]] bool is_owners_writer() const noexcept { return is_owners_writer_; }
  // From now on this is a writer's: the owner's secrets are wiped. No reference to another domain's keys may be in use.
  void drop_owner();
  // Code::forbidden without the owner's half, as all that needs it.
  [[nodiscard]] const crypto::Key& root() const { return owners().root; }
  [[nodiscard]] const crypto::SigningKey& owner_signer() const { return owners().signer; }
  [[nodiscard]] const crypto::SigningKey& writer_signer() const noexcept { return writer_; }
  [[nodiscard]] const crypto::Key& common() const noexcept { return common_; }
  // What new objects are written under: the keys of the own domain (the owner's: main) and the current generation.
  [[nodiscard]] const DomainKeys& own_domain() const noexcept { return *own_; }
  // A writer's stays at the newest generation that it was given, and no later one than this.
  void set_current_generation(std::uint32_t generation);
  // Whether domain_keys() has these: without the owner's half, only what was given.
  [[nodiscard]] bool has_domain_keys(const DomainId& domain, std::uint32_t generation) const;
  // For a slot with this public key, what it needs of a generation: that domain's secret. Only who has the slot's secret can take it in.
  [[nodiscard]] ByteBuffer make_grant(const PublicKey& slot, const DomainId& domain, std::uint32_t generation) const;
  // The owner says what objects of that generation are sealed to.
  [[nodiscard]] PublicKey sealing_public(std::uint32_t generation) const;
  // To which key grants for this keyring are sealed; nothing when it came from no slot.
  [[nodiscard]] const std::optional<PublicKey>& grantee() const noexcept { return grantee_; }
  // A grant sealed to grantee(), of a generation that the owner seals to `sealing`. Code::corrupt when it does not open.
  void take_grant(std::uint32_t generation, ByteView sealed, const PublicKey& sealing);
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
  void take_domain(const DomainId& domain, std::uint32_t generation, const crypto::Key& secret);
  [[nodiscard]] crypto::Key sealing_secret(std::uint32_t generation) const;

  RepositoryId repository_;
  std::optional<Owner> owner_;
  crypto::SigningKey writer_;
  crypto::Key common_;
  crypto::Key cache_key_;
  bool is_owners_writer_;
  crypto::Key pair_;  // of the slot, if grantee_
  std::optional<PublicKey> grantee_;
  PublicKey sealing_public_;  // of the current generation
  std::map<std::uint32_t, PublicKey> given_sealing_;  // of generations whose domain secret was given, too
  struct Derived {
    std::mutex mutex;
    std::map<std::pair<DomainId, std::uint32_t>, std::unique_ptr<const DomainKeys>> keys;
  };
  std::unique_ptr<Derived> derived_ = std::make_unique<Derived>();
  const DomainKeys* own_ = nullptr;
};

}  // namespace mbu::keys
