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

DomainKeys DomainKeys::derive_from(const DomainId& id, std::uint32_t generation, const crypto::Key& secret, const crypto::Key& common) {
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
  keys.link = half(crypto::derive("mbu v1 link key", {crypto::view(common), id.view()}));
  return keys;
}

Keyring::Keyring(const crypto::Key& root, const RepositoryId& repository, const crypto::Key* pair)
    : repository_(repository),
      owner_(Owner{root.clone(), crypto::SigningKey(crypto::derive("mbu v1 owner signing seed", {crypto::view(root), repository.view()}))}),
      writer_(crypto::derive("mbu v1 writer signing seed", {crypto::view(root), repository.view()})),
      common_(crypto::derive("mbu v1 common key", {crypto::view(root), repository.view()})),
      cache_key_(crypto::derive("mbu v1 cache key", {crypto::view(root), repository.view()})),
      is_owners_writer_(true) {
  if (pair != nullptr) {
    pair_ = pair->clone();
    grantee_ = crypto::sealing_public_key(pair_);
  }
  set_current_generation(kFirstGeneration);
}

Keyring::Keyring(const format::WriterCredential& credential, const RepositoryId& repository)
    : repository_(repository),
      writer_(crypto::key_from(credential.signing_seed)),
      common_(crypto::key_from(credential.common_key)),
      cache_key_(crypto::derive("mbu v1 writer cache key", {credential.signing_seed, repository.view()})),
      is_owners_writer_(false),
      pair_(crypto::key_from(credential.x25519_secret)),
      grantee_(crypto::sealing_public_key(pair_)) {
  for (const auto& domain : credential.domain_secrets) {
    take_domain(credential.domain, domain.generation, crypto::key_from(domain.secret));
    for (const auto& sealing : credential.sealing_keys) {
      if (sealing.generation == domain.generation) given_sealing_.emplace(sealing.generation, sealing.key);
    }
  }
  if (given_sealing_.empty()) throw Error(Code::corrupt, "holds no generation of keys that is whole", "the credential");
  own_ = &domain_keys(credential.domain, given_sealing_.begin()->first);
  set_current_generation(given_sealing_.rbegin()->first);
}

void Keyring::set_current_generation(std::uint32_t generation) {
  if (owner_) {
    own_ = &domain_keys(main_domain(), generation);
    sealing_public_ = crypto::sealing_public_key(sealing_secret(generation));
    return;
  }
  const auto above = given_sealing_.upper_bound(generation);
  if (above == given_sealing_.begin()) return;
  const auto& [newest, sealing] = *std::prev(above);
  own_ = &domain_keys(own_->id, newest);
  sealing_public_ = sealing;
}

bool Keyring::has_domain_keys(const DomainId& domain, std::uint32_t generation) const {
  if (owner_) return true;
  const std::scoped_lock lock(derived_->mutex);
  return derived_->keys.contains({domain, generation});
}

ByteBuffer Keyring::make_grant(const PublicKey& slot, const DomainId& domain, std::uint32_t generation) const {
  return crypto::seal_key(slot, domain_secret(owners().root, repository_, domain, generation));
}

PublicKey Keyring::sealing_public(std::uint32_t generation) const { return crypto::sealing_public_key(sealing_secret(generation)); }

void Keyring::take_grant(std::uint32_t generation, ByteView sealed, const PublicKey& sealing) {
  take_domain(own_->id, generation, crypto::open_sealed_key(pair_, grantee_.value(), sealed, "a grant of keys"));
  given_sealing_.insert_or_assign(generation, sealing);
}

void Keyring::take_domain(const DomainId& domain, std::uint32_t generation, const crypto::Key& secret) {
  const std::scoped_lock lock(derived_->mutex);
  auto& keys = derived_->keys[{domain, generation}];
  if (!keys) keys = std::make_unique<const DomainKeys>(DomainKeys::derive_from(domain, generation, secret, common_));
}

format::WriterCredential Keyring::make_writer(const DomainId& domain) const {
  format::WriterCredential credential;
  credential.signing_seed = crypto::random_key().expose();
  credential.x25519_secret = crypto::random_key().expose();
  credential.common_key = common_.expose();
  credential.domain = domain;
  const auto generation = own_->generation;
  credential.domain_secrets.push_back({generation, domain_secret(owners().root, repository_, domain, generation).expose()});
  credential.sealing_keys.push_back({generation, sealing_public_});
  return credential;
}

DomainId Keyring::domain_named(const std::string& name) const {
  if (name == "main") return main_domain();
  DomainId id;
  std::ranges::copy(half(crypto::derive("mbu v1 domain name", {crypto::view(common_), as_bytes(name)})), id.bytes.begin());
  return id;
}

void Keyring::drop_owner() {
  if (!owner_) return;
  // What was written under earlier generations stays known.
  for (auto generation = kFirstGeneration; generation <= own_->generation; ++generation) static_cast<void>(domain_keys(main_domain(), generation));
  given_sealing_.emplace(own_->generation, sealing_public_);
  owner_.reset();
  std::erase_if(derived_->keys, [](const auto& derived) { return derived.first.first != main_domain(); });
}

const Keyring::Owner& Keyring::owners() const {
  if (!owner_) throw Error(Code::forbidden, "that takes the owner's keys, and only a writer's are in hand");
  return *owner_;
}

const DomainKeys& Keyring::domain_keys(const DomainId& domain, std::uint32_t generation) const {
  if (own_ != nullptr && domain == own_->id && generation == own_->generation) return *own_;
  const std::scoped_lock lock(derived_->mutex);
  const auto known = derived_->keys.find({domain, generation});
  if (known != derived_->keys.end()) return *known->second;
  const auto secret = domain_secret(owners().root, repository_, domain, generation);
  auto keys = std::make_unique<const DomainKeys>(DomainKeys::derive_from(domain, generation, secret, common_));
  return *derived_->keys.emplace(std::pair(domain, generation), std::move(keys)).first->second;
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
