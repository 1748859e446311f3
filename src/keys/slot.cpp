#include "keys/slot.hpp"

#include <algorithm>
#include <functional>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "crypto/aead.hpp"

namespace mbu::keys {
namespace {

constexpr double kTargetSeconds = 0.15;
constexpr std::uint32_t kLeastPasses = 3;          // RFC 9106's second recommended option
constexpr std::uint32_t kMostPasses = 16;
constexpr std::uint32_t kLeastIterations = 600'000;
constexpr std::uint32_t kMostIterations = 100'000'000;
constexpr std::uint32_t kLeastMemoryKib = 8 * 1024;
constexpr std::uint32_t kMostMemoryKib = 1024 * 1024;

crypto::Key run_kdf(ByteView password, const format::Slot& slot) {
  if (slot.kdf == format::SlotKdf::argon2id) {
    return crypto::argon2id(password, slot.salt, slot.memory_kib, slot.passes);
  }
  return crypto::pbkdf2_sha256(password, slot.salt, slot.passes);
}

// P of FORMAT.md §5: what opens the slot. Nothing when this is no way to it.
using Stretch = std::function<std::optional<crypto::Key>(const format::Slot&)>;

Stretch by_password(const Password& password) {
  return [&password](const format::Slot& slot) -> std::optional<crypto::Key> {
    if (slot.kdf == format::SlotKdf::fido2) return std::nullopt;
    return run_kdf(password.view(), slot);
  };
}

Stretch by_authenticator(Authenticator& authenticator) {
  return [&authenticator](const format::Slot& slot) -> std::optional<crypto::Key> {
    if (slot.kdf != format::SlotKdf::fido2) return std::nullopt;
    const auto salt = crypto::derive("mbu v1 fido2 salt", {slot.config_hash.view(), slot.salt});
    return authenticator.secret({slot.fido_credential, slot.fido_verifies}, salt);
  };
}

crypto::Key wrapping_key(const crypto::Key& stretched) { return crypto::derive("mbu v1 slot key", {crypto::view(stretched)}); }

crypto::Key label_key(const Keyring& keyring, ByteView public_part) {
  return crypto::derive("mbu v1 label key", {crypto::view(keyring.common()), public_part});
}

// How many units of work fit the target, when `units` were measured to take `seconds`.
std::uint32_t scaled(std::uint32_t units, double seconds, std::uint32_t least, std::uint32_t most) {
  const double fitting = units * (kTargetSeconds / std::max(seconds, 1e-6));
  return static_cast<std::uint32_t>(std::clamp<double>(fitting, least, most));
}

void require_between(std::uint32_t value, std::uint32_t least, std::uint32_t most, const std::string& what) {
  if (value < least || value > most) {
    throw Error(Code::usage, what + " must be between " + std::to_string(least) + " and " + std::to_string(most));
  }
}

constexpr std::size_t kOwnerSecrets = 64;

// Fills in label, salt and what is wrapped; the rest of the slot's members say what it is.
ByteBuffer wrap(format::Slot slot, ByteView secrets, const Keyring& keyring, const Stretch& stretch, const SlotOptions& options) {
  slot.lanes = 1;
  fill_random(slot.salt);
  const auto label = format::encode_slot_label({options.created_ns, options.name});
  const auto head = format::encode_slot_head(slot, label.size() + sizeof(crypto::Tag), secrets.size() + sizeof(crypto::Tag));
  slot.label = crypto::seal_once(label_key(keyring, format::slot_public_part(head)), head, label);
  ByteBuffer bound = head;
  append(bound, slot.label);
  append(bound, slot.fido_credential);
  const auto stretched = stretch(slot);
  if (!stretched) throw Error(Code::failed, "does not know the credential that it has just made", "the security key");
  slot.wrapped = crypto::seal_once(wrapping_key(*stretched), crypto::sha256(bound), secrets);
  return format::encode_slot(slot);
}

ByteBuffer wrap_owners(format::Slot slot, const crypto::Key& root, const Keyring& keyring, const Stretch& stretch, const SlotOptions& options) {
  const auto pair_secret = crypto::random_key();
  crypto::Secret<std::array<std::uint8_t, kOwnerSecrets>> secrets;
  std::ranges::copy(root.expose(), secrets.expose().begin());
  std::ranges::copy(pair_secret.expose(), secrets.expose().begin() + sizeof(crypto::Digest));
  slot.role = format::Role::owner;
  slot.public_key = crypto::sealing_public_key(pair_secret);
  return wrap(std::move(slot), secrets.expose(), keyring, stretch, options);
}

format::Slot slot_of(const ObjectName& config_hash, const KdfCost& cost) {
  format::Slot slot;
  slot.config_hash = config_hash;
  slot.kdf = cost.kdf;
  slot.memory_kib = cost.memory_kib;
  slot.passes = cost.passes;
  return slot;
}

std::optional<Unlocked> open_by(ByteView bytes, const ObjectName& config_hash, const Stretch& stretch, const std::string& subject, bool any_cost) {
  const auto slot = format::decode_slot(bytes, subject);
  if (slot.config_hash != config_hash) throw Error(Code::corrupt, "belongs to another repository's config", subject);
  format::check_kdf_cost(slot, subject, any_cost);
  const auto stretched = stretch(slot);
  if (!stretched) return std::nullopt;

  const auto wrapped = ByteView(slot.wrapped);
  const std::size_t size = wrapped.size() - sizeof(crypto::Tag);
  crypto::Tag tag;
  std::ranges::copy(wrapped.last(sizeof tag), tag.begin());
  crypto::LockedBytes secrets(size);
  crypto::Aead aead(wrapping_key(*stretched));
  const auto bound = crypto::sha256(format::slot_wrap_aad_input(bytes));
  if (!aead.open(crypto::kZeroNonce, bound, wrapped.first(size), tag, secrets.bytes())) return std::nullopt;

  std::optional<Unlocked> unlocked;
  std::optional<crypto::Key> pair_secret;
  if (slot.role == format::Role::owner) {
    pair_secret = crypto::key_from(secrets.bytes().last(sizeof(crypto::Digest)));
    unlocked = OwnerSecrets{crypto::key_from(secrets.bytes().first(sizeof(crypto::Digest))), pair_secret->clone()};
  } else {
    auto credential = format::decode_writer_credential(secrets.bytes(), subject);
    pair_secret = crypto::key_from(credential.x25519_secret);
    unlocked = std::move(credential);
  }
  if (crypto::sealing_public_key(*pair_secret) != slot.public_key) throw Error(Code::corrupt, "has a public key that is not its secret's", subject);
  return unlocked;
}

}  // namespace

KdfCost choose_cost(const InitOptions& init) {
  KdfCost cost;
  cost.kdf = init.kdf == Kdf::argon2id ? format::SlotKdf::argon2id : format::SlotKdf::pbkdf2;
  cost.passes = init.passes;
  const bool argon = cost.kdf == format::SlotKdf::argon2id;
  if (argon) {
    cost.memory_kib = init.memory_kib;
    require_between(cost.memory_kib, kLeastMemoryKib, kMostMemoryKib, "--kdf-memory (KiB)");
  }
  if (cost.passes != 0) {
    if (argon) require_between(cost.passes, kLeastPasses, kMostPasses, "--kdf-time (passes)");
    if (!argon) require_between(cost.passes, kLeastIterations, kMostIterations, "--kdf-time (iterations)");
    return cost;
  }
  const auto start = system_clock().monotonic_ns();
  const std::uint32_t trial = argon ? kLeastPasses : kLeastIterations / 6;
  if (argon) {
    (void)crypto::argon2id(as_bytes("calibration"), {}, cost.memory_kib, trial);
  } else {
    (void)crypto::pbkdf2_sha256(as_bytes("calibration"), {}, trial);
  }
  const double seconds = static_cast<double>(system_clock().monotonic_ns() - start) * 1e-9;
  cost.passes = argon ? scaled(trial, seconds, kLeastPasses, kMostPasses)
                      : scaled(trial, seconds, kLeastIterations, kMostIterations);
  return cost;
}

ByteBuffer make_owner_slot(const Keyring& keyring, const crypto::Key& root, const ObjectName& config_hash, const Password& password,
                           const SlotOptions& options) {
  return wrap_owners(slot_of(config_hash, options.cost), root, keyring, by_password(password), options);
}

ByteBuffer make_owner_slot(const Keyring& keyring, const crypto::Key& root, const ObjectName& config_hash, Authenticator& authenticator,
                           const SlotOptions& options) {
  auto slot = slot_of(config_hash, {format::SlotKdf::fido2, 0, 0});
  auto made = authenticator.make_credential(options.name);
  slot.fido_credential = std::move(made.id);
  slot.fido_verifies = made.verifies;
  return wrap_owners(std::move(slot), root, keyring, by_authenticator(authenticator), options);
}

ByteBuffer make_writer_slot(const Keyring& keyring, const format::WriterCredential& credential, const ObjectName& config_hash,
                            const Password& password, const SlotOptions& options) {
  auto secrets = format::encode_writer_credential(credential);
  auto slot = slot_of(config_hash, options.cost);
  slot.role = format::Role::writer;
  slot.public_key = crypto::sealing_public_key(crypto::key_from(credential.x25519_secret));
  auto bytes = wrap(std::move(slot), secrets, keyring, by_password(password), options);
  crypto::wipe(secrets);
  return bytes;
}

std::optional<Unlocked> open_slot(ByteView bytes, const ObjectName& config_hash, Authenticator& authenticator, const std::string& subject) {
  return open_by(bytes, config_hash, by_authenticator(authenticator), subject, false);
}

std::optional<Unlocked> open_slot(ByteView bytes, const ObjectName& config_hash, const Password& password, const std::string& subject,
                                  bool any_cost) {
  return open_by(bytes, config_hash, by_password(password), subject, any_cost);
}

std::unique_ptr<Keyring> make_keyring(const Unlocked& unlocked, const RepositoryId& repository) {
  if (const auto* credential = std::get_if<format::WriterCredential>(&unlocked)) return std::make_unique<Keyring>(*credential, repository);
  const auto& owner = std::get<OwnerSecrets>(unlocked);
  return std::make_unique<Keyring>(owner.root, repository, owner.has_pair ? &owner.pair : nullptr);
}

format::SlotLabel read_label(ByteView bytes, const Keyring& keyring, const std::string& subject) {
  const auto slot = format::decode_slot(bytes, subject);
  const auto key = label_key(keyring, format::slot_public_part(bytes));
  const auto label = crypto::open_once(key, format::slot_label_aad(bytes), slot.label, subject);
  return format::decode_slot_label(label, subject);
}

}  // namespace mbu::keys
