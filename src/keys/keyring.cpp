#include "keys/keyring.hpp"

#include <algorithm>

namespace mbu::keys {
namespace {

std::array<std::uint8_t, 4> number(std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes;
  write_integer(bytes, value);
  return bytes;
}

std::array<std::uint8_t, 16> half(const crypto::Key& key) {
  std::array<std::uint8_t, 16> bytes;
  std::copy_n(key.expose().begin(), bytes.size(), bytes.begin());
  return bytes;
}

crypto::Key domain_secret(const crypto::Key& root, const RepositoryId& repository, const DomainId& domain,
                          std::uint32_t generation) {
  return crypto::derive("mbu v1 domain secret",
                        {crypto::view(root), repository.view(), domain.view(), number(generation)});
}

}  // namespace

DomainId main_domain() noexcept {
  DomainId id;
  std::ranges::copy(std::string_view("main"), id.bytes.begin());
  return id;
}

DomainKeys DomainKeys::derive_from(const DomainId& id, std::uint32_t generation, const crypto::Key& secret) {
  const auto one = [&](std::string_view context) { return crypto::derive(context, {crypto::view(secret)}); };
  DomainKeys keys;
  keys.id = id;
  keys.generation = generation;
  keys.data_id = one("mbu v1 data id key");
  keys.list_id = one("mbu v1 list id key");
  keys.page_id = one("mbu v1 page id key");
  keys.index = one("mbu v1 index key");
  ByteBuffer gear(2048);
  crypto::expand(one("mbu v1 gear seed"), gear);
  keys.gear = chunk::GearTable::from(gear);
  crypto::wipe(gear);
  keys.page_cut = half(one("mbu v1 page cut key"));
  keys.link = half(one("mbu v1 link key"));
  return keys;
}

Keyring::Keyring(const crypto::Key& root, const RepositoryId& repository)
    : repository_(repository),
      owner_(Owner{root.clone(), crypto::SigningKey(crypto::derive("mbu v1 owner signing seed", {crypto::view(root), repository.view()}))}),
      writer_(crypto::derive("mbu v1 writer signing seed", {crypto::view(root), repository.view()})),
      common_(crypto::derive("mbu v1 common key", {crypto::view(root), repository.view()})),
      cache_key_(crypto::derive("mbu v1 cache key", {crypto::view(root), repository.view()})) {
  set_current_generation(kFirstGeneration);
}

void Keyring::set_current_generation(std::uint32_t generation) {
  own_ = &domain_keys(main_domain(), generation);
  sealing_public_ = crypto::sealing_public_key(sealing_secret(generation));
}

void Keyring::drop_owner() {
  owner_.reset();
  std::erase_if(derived_->keys, [&](const auto& derived) { return derived.second.get() != own_; });
}

const Keyring::Owner& Keyring::owners() const {
  if (!owner_) throw Error(Code::forbidden, "that takes the owner's keys, and only a writer's are in hand");
  return *owner_;
}

const DomainKeys& Keyring::domain_keys(const DomainId& domain, std::uint32_t generation) const {
  if (own_ != nullptr && domain == own_->id && generation == own_->generation) return *own_;
  const std::scoped_lock lock(derived_->mutex);
  auto& keys = derived_->keys[{domain, generation}];
  if (!keys) {
    const auto secret = domain_secret(owners().root, repository_, domain, generation);
    keys = std::make_unique<const DomainKeys>(DomainKeys::derive_from(domain, generation, secret));
  }
  return *keys;
}

crypto::Key Keyring::index_key(const DomainId& domain, std::uint32_t generation) const {
  return domain_keys(domain, generation).index.clone();
}

crypto::Key Keyring::sealing_secret(std::uint32_t generation) const {
  return crypto::derive("mbu v1 sealing secret", {crypto::view(owners().root), repository_.view(), number(generation)});
}

crypto::Key Keyring::open_sealed(std::uint32_t generation, ByteView sealed, const std::string& subject) const {
  const auto secret = sealing_secret(generation);
  // Computing the public key costs as much as opening.
  const auto own = generation == own_->generation ? sealing_public_ : crypto::sealing_public_key(secret);
  return crypto::open_sealed_key(secret, own, sealed, subject);
}

}  // namespace mbu::keys
