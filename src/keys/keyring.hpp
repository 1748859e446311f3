// The keys one has in hand after a slot was opened, derived from the owner's root secret as FORMAT.md §3 says.
//
// Any thread, once it is known which generation is current.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "chunk/chunker.hpp"
#include "crypto/hash.hpp"
#include "crypto/public_key.hpp"

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

  [[nodiscard]] const RepositoryId& repository() const noexcept { return repository_; }
  [[nodiscard]] const crypto::SigningKey& owner_signer() const noexcept { return owner_; }
  [[nodiscard]] const crypto::SigningKey& writer_signer() const noexcept { return writer_; }
  [[nodiscard]] const crypto::Key& common() const noexcept { return common_; }
  // What new objects are written under: the main domain's keys of the current generation.
  [[nodiscard]] const DomainKeys& own_domain() const noexcept { return *own_; }
  // Before the keyring is shared.
  void set_current_generation(std::uint32_t generation) { own_ = &domain_keys(main_domain(), generation); }
  // Of any domain and generation, for reading. Derived on first use, then kept; the reference stays valid.
  [[nodiscard]] const DomainKeys& domain_keys(const DomainId& domain, std::uint32_t generation) const;
  // Opens that domain's indexes and tocs.
  [[nodiscard]] crypto::Key index_key(const DomainId& domain, std::uint32_t generation) const;

  [[nodiscard]] PublicKey sealing_public(std::uint32_t generation) const;
  // Opens a key sealed to the repository. Code::corrupt naming `subject` when it was not.
  [[nodiscard]] crypto::Key open_sealed(std::uint32_t generation, ByteView sealed, const std::string& subject) const;

  // A key for what this machine keeps in its cache; nobody else's cache opens with it.
  [[nodiscard]] crypto::Key cache_key() const;

 private:
  [[nodiscard]] crypto::Key sealing_secret(std::uint32_t generation) const;

  RepositoryId repository_;
  crypto::Key root_;
  crypto::SigningKey owner_;
  crypto::SigningKey writer_;
  crypto::Key common_;
  struct Derived {
    std::mutex mutex;
    std::map<std::pair<DomainId, std::uint32_t>, std::unique_ptr<const DomainKeys>> keys;
  };
  std::unique_ptr<Derived> derived_ = std::make_unique<Derived>();
  const DomainKeys* own_ = nullptr;
};

}  // namespace mbu::keys
