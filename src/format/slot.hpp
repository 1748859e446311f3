// Slots: what a password opens (FORMAT.md §5), and what is inside. This layer neither derives nor unwraps.
// Pure functions; any thread.
#pragma once

#include "mbu/types/ids.hpp"

namespace mbu::format {

enum class Role : std::uint8_t { owner = 1, writer = 2 };
enum class SlotKdf : std::uint8_t { argon2id = 1, pbkdf2 = 2, fido2 = 3 };

inline constexpr std::size_t kSlotPublicSize = 104;
inline constexpr std::size_t kSlotHeadSize = 112;
inline constexpr std::size_t kLargestSlot = 64 * 1024;
inline constexpr std::size_t kLongestFidoCredential = 1024;

struct Slot {
  ObjectName config_hash;
  Role role = Role::owner;
  SlotKdf kdf = SlotKdf::argon2id;
  std::uint32_t memory_kib = 0;  // Argon2id; else 0
  std::uint32_t passes = 0;      // Argon2id passes, PBKDF2 iterations; FIDO2: 0
  std::uint32_t lanes = 1;
  std::array<std::uint8_t, 16> salt{};
  PublicKey public_key;  // X25519
  ByteBuffer label;      // sealed, with its tag
  ByteBuffer fido_credential;  // FIDO2: what the authenticator calls its key
  bool fido_verifies = false;  // FIDO2: it asks for a PIN besides the touch
  ByteBuffer wrapped;    // sealed, with its tag
  bool operator==(const Slot&) const = default;
};

// The first kSlotHeadSize bytes of a slot whose label and wrapped secrets will have these lengths, tags included. Throws
// Code::failed when such a slot would be too large; label and wrapped of `slot` are not looked at.
[[nodiscard]] ByteBuffer encode_slot_head(const Slot& slot, std::size_t label_length, std::size_t wrapped_length);
[[nodiscard]] ByteBuffer encode_slot(const Slot& slot);

// Throws Code::corrupt. What the KDF would cost is not looked at: check_kdf_cost() must be called before deriving.
[[nodiscard]] Slot decode_slot(ByteView bytes, const std::string& subject);
// Throws Code::corrupt when deriving would cost more, or protect less, than a reader may accept. `any_cost`: it may cost more.
void check_kdf_cost(const Slot& slot, const std::string& subject, bool any_cost = false);

// Parts of a slot's bytes. `bytes` may end behind the part that is asked for; Code::corrupt when it ends before.
[[nodiscard]] ByteView slot_public_part(ByteView bytes);     // [0..104): material of the label's key
[[nodiscard]] ByteView slot_label_aad(ByteView bytes);       // [0..112)
[[nodiscard]] ByteView slot_wrap_aad_input(ByteView bytes);  // [0..112+n+c): its hash is the additional data

// The label before it is sealed.
struct SlotLabel {
  std::uint64_t created_ns = 0;  // since 1970
  std::string name;              // without zero bytes
  bool operator==(const SlotLabel&) const = default;
};

// Throws Code::failed when the name is too long or holds a zero byte.
[[nodiscard]] ByteBuffer encode_slot_label(const SlotLabel& label);
[[nodiscard]] SlotLabel decode_slot_label(ByteView bytes, const std::string& subject);

// Secrets in these structs are overwritten when they are destroyed; who wants them in locked memory moves them there.
struct DomainSecret {
  std::uint32_t generation = 0;
  std::array<std::uint8_t, 32> secret{};
  ~DomainSecret();
  bool operator==(const DomainSecret&) const = default;
};

struct SealingPublicKey {
  std::uint32_t generation = 0;
  PublicKey key;  // X25519
  bool operator==(const SealingPublicKey&) const = default;
};

// What a writer's slot wraps.
struct WriterCredential {
  std::array<std::uint8_t, 32> signing_seed{};
  std::array<std::uint8_t, 32> x25519_secret{};
  std::array<std::uint8_t, 32> common_key{};
  DomainId domain;
  std::vector<DomainSecret> domain_secrets;    // at least one; generations ascend
  std::vector<SealingPublicKey> sealing_keys;  // at least one; generations ascend
  ~WriterCredential();
  bool operator==(const WriterCredential&) const = default;
};

// The caller overwrites the bytes after use; copies made on the way are overwritten here.
[[nodiscard]] ByteBuffer encode_writer_credential(const WriterCredential& credential);
[[nodiscard]] WriterCredential decode_writer_credential(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
