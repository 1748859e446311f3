// Slots: the owner's root secret, or what a writer has, wrapped under a password (FORMAT.md §5). Any number of them open the same repository;
// changing a password rewrites one slot and no data.
//
// Pure but for randomness and the time that a KDF takes on purpose; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "crypto/kdf.hpp"
#include "format/slot.hpp"
#include "keys/authenticator.hpp"
#include "keys/keyring.hpp"
#include "mbu/types/options.hpp"

namespace mbu::keys {

struct KdfCost {
  format::SlotKdf kdf = format::SlotKdf::argon2id;
  std::uint32_t memory_kib = 0;  // Argon2id
  std::uint32_t passes = 0;      // Argon2id passes or PBKDF2 iterations
};

// The cost that `init` asks for; what it leaves open is chosen by running the KDF once on this machine so that it takes
// about 0.15 s. Code::usage when a value is out of bounds.
[[nodiscard]] KdfCost choose_cost(const InitOptions& init);

// What a slot is made for, beside what it wraps.
struct SlotOptions {
  KdfCost cost;
  std::string name;
  std::uint64_t created_ns = 0;  // since 1970
};

// A new owner's slot, encoded.
[[nodiscard]] ByteBuffer make_owner_slot(const Keyring& keyring, const crypto::Key& root, const ObjectName& config_hash, const Password& password,
                                         const SlotOptions& options);
// The same, opened by a credential that is made on the authenticator now; its user must touch it twice. options.cost is not used.
[[nodiscard]] ByteBuffer make_owner_slot(const Keyring& keyring, const crypto::Key& root, const ObjectName& config_hash, Authenticator& authenticator,
                                         const SlotOptions& options);
// A writer's. `keyring`: the owner's, for the label.
[[nodiscard]] ByteBuffer make_writer_slot(const Keyring& keyring, const format::WriterCredential& credential, const ObjectName& config_hash,
                                          const Password& password, const SlotOptions& options);

struct OwnerSecrets {
  crypto::Key root;
  crypto::Key pair = {};  // X25519, of the slot
  bool has_pair = true;   // a recovery sheet has none
};
// What a slot wraps: the owner's root secret, or a writer's credential.
using Unlocked = std::variant<OwnerSecrets, format::WriterCredential>;

// Nothing when the slot is not the authenticator's. Errors as below, and the authenticator's.
[[nodiscard]] std::optional<Unlocked> open_slot(ByteView bytes, const ObjectName& config_hash, Authenticator& authenticator, const std::string& subject);
// Nothing when the password is not this slot's. Code::corrupt when the slot belongs to another config, asks for a cost that no slot may have
// (unless `any_cost`), or has a public key that is not its secret's.
[[nodiscard]] std::optional<Unlocked> open_slot(ByteView bytes, const ObjectName& config_hash, const Password& password,
                                                const std::string& subject, bool any_cost = false);

// The keys that what was unlocked makes.
[[nodiscard]] std::unique_ptr<Keyring> make_keyring(const Unlocked& unlocked, const RepositoryId& repository);

// What the slot is called and when it was made. Code::corrupt.
[[nodiscard]] format::SlotLabel read_label(ByteView bytes, const Keyring& keyring, const std::string& subject);

}  // namespace mbu::keys
