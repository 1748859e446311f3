#include "format/slot.hpp"

#include "base/bytes.hpp"

namespace mbu::format {
namespace {

constexpr std::string_view kMagic = "MBUK";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kSuite = 1;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kLabelGranularity = 32;
constexpr std::size_t kShortestLabel = kLabelGranularity + kTagSize;
constexpr std::size_t kOwnerSecretsSize = 64 + kTagSize;

struct Bounds {
  std::uint32_t least;
  std::uint32_t most;
  [[nodiscard]] bool hold(std::uint32_t value, bool any_more) const noexcept {
    return least <= value && value <= (any_more ? std::uint32_t{INT32_MAX} : most);
  }
};
constexpr Bounds kMemoryKib{8 * 1024, 1024 * 1024};
constexpr Bounds kPasses{1, 16};
constexpr Bounds kIterations{100'000, 100'000'000};

// Whether a slot of this kind can have these lengths.
bool lengths_fit(const Slot& slot, std::size_t label, std::size_t credential, std::size_t wrapped) noexcept {
  const auto role = slot.role;
  if ((slot.kdf == SlotKdf::fido2) != (credential > 0) || credential > kLongestFidoCredential) return false;
  if (label < kShortestLabel || (label - kTagSize) % kLabelGranularity != 0) return false;
  if (role == Role::owner ? wrapped != kOwnerSecretsSize : wrapped <= kTagSize) return false;
  return label <= kLargestSlot && wrapped <= kLargestSlot && kSlotHeadSize + label + credential + wrapped <= kLargestSlot;
}

ByteView part(ByteView bytes, std::size_t size) {
  if (bytes.size() < size) throw Error(Code::corrupt, "is cut short", "a slot");
  return bytes.first(size);
}

}  // namespace

ByteBuffer encode_slot_head(const Slot& slot, std::size_t label_length, std::size_t wrapped_length) {
  if (!lengths_fit(slot, label_length, slot.fido_credential.size(), wrapped_length)) {
    throw Error(Code::failed, "a slot's label or secrets have an impossible length");
  }
  ByteBuffer head;
  head.reserve(kSlotHeadSize + label_length + slot.fido_credential.size() + wrapped_length);
  append(head, as_bytes(kMagic));
  append(head, kVersion);
  append(head, kSuite);
  append(head, slot.config_hash.view());
  append(head, static_cast<std::uint8_t>(slot.role));
  append(head, static_cast<std::uint8_t>(slot.kdf));
  append(head, std::uint16_t{0});
  append(head, slot.memory_kib);
  append(head, slot.passes);
  append(head, slot.lanes);
  append(head, ByteView(slot.salt));
  append(head, slot.public_key.view());
  append(head, static_cast<std::uint16_t>(label_length));
  append(head, static_cast<std::uint16_t>(wrapped_length));
  append(head, static_cast<std::uint16_t>(slot.fido_credential.size()));
  append(head, std::uint16_t{slot.fido_verifies});
  return head;
}

ByteBuffer encode_slot(const Slot& slot) {
  auto bytes = encode_slot_head(slot, slot.label.size(), slot.wrapped.size());
  append(bytes, slot.label);
  append(bytes, slot.fido_credential);
  append(bytes, slot.wrapped);
  return bytes;
}

Slot decode_slot(ByteView bytes, const std::string& subject) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw Error(Code::corrupt, what, subject);
  };
  require(bytes.size() <= kLargestSlot, "is too large for a slot");
  Reader reader(bytes, subject);
  require(as_text(reader.take(kMagic.size())) == kMagic, "is not a slot");
  require(reader.integer<std::uint16_t>() == kVersion && reader.integer<std::uint16_t>() == kSuite,
          "has a version or suite that is not known");
  Slot slot;
  slot.config_hash = reader.identifier<ObjectName>();
  slot.role = static_cast<Role>(reader.integer<std::uint8_t>());
  require(slot.role == Role::owner || slot.role == Role::writer, "has a role that is not known");
  slot.kdf = static_cast<SlotKdf>(reader.integer<std::uint8_t>());
  require(slot.kdf >= SlotKdf::argon2id && slot.kdf <= SlotKdf::fido2, "has a key derivation function that is not known");
  reader.expect_zero(2);
  slot.memory_kib = reader.integer<std::uint32_t>();
  slot.passes = reader.integer<std::uint32_t>();
  slot.lanes = reader.integer<std::uint32_t>();
  require(slot.kdf == SlotKdf::argon2id || slot.memory_kib == 0, "gives memory to what takes none");
  require(slot.kdf != SlotKdf::fido2 || slot.passes == 0, "gives passes to an authenticator");
  require(slot.lanes == kLanes, "wants more lanes than one");
  const auto salt = reader.take(slot.salt.size());
  std::copy(salt.begin(), salt.end(), slot.salt.begin());
  slot.public_key = reader.identifier<PublicKey>();
  const auto label_length = reader.integer<std::uint16_t>();
  const auto wrapped_length = reader.integer<std::uint16_t>();
  const auto credential_length = reader.integer<std::uint16_t>();
  const auto flags = reader.integer<std::uint16_t>();
  require(flags <= (slot.kdf == SlotKdf::fido2 ? 1 : 0), "has flags that are not known");
  slot.fido_verifies = flags != 0;
  require(lengths_fit(slot, label_length, credential_length, wrapped_length), "has a label, credential or secrets of an impossible length");
  const auto label = reader.take(label_length);
  slot.label.assign(label.begin(), label.end());
  const auto credential = reader.take(credential_length);
  slot.fido_credential.assign(credential.begin(), credential.end());
  const auto wrapped = reader.take(wrapped_length);
  slot.wrapped.assign(wrapped.begin(), wrapped.end());
  require(reader.rest().empty(), "is too long");
  return slot;
}

void check_kdf_cost(const Slot& slot, const std::string& subject, bool any_cost) {
  if (slot.kdf == SlotKdf::fido2) return;
  const bool fits = slot.kdf == SlotKdf::argon2id ? kMemoryKib.hold(slot.memory_kib, any_cost) && kPasses.hold(slot.passes, any_cost)
                                                  : kIterations.hold(slot.passes, any_cost);
  if (!fits) throw Error(Code::corrupt, "asks for a key derivation that costs too much or too little", subject);
}

ByteView slot_public_part(ByteView bytes) { return part(bytes, kSlotPublicSize); }

ByteView slot_label_aad(ByteView bytes) { return part(bytes, kSlotHeadSize); }

ByteView slot_wrap_aad_input(ByteView bytes) {
  constexpr std::size_t kCredentialLength = 4;  // behind the label's length
  const auto lengths = part(bytes, kSlotHeadSize).subspan(kSlotPublicSize);
  const std::size_t label_length = load<std::uint16_t>(lengths);
  const std::size_t credential_length = load<std::uint16_t>(lengths.subspan(kCredentialLength));
  return part(bytes, kSlotHeadSize + label_length + credential_length);
}

ByteBuffer encode_slot_label(const SlotLabel& label) {
  if (label.name.find('\0') != std::string::npos) throw Error(Code::failed, "a password's name holds a zero byte");
  ByteBuffer bytes;
  append(bytes, label.created_ns);
  append(bytes, as_bytes(label.name));
  bytes.resize((bytes.size() + kLabelGranularity - 1) / kLabelGranularity * kLabelGranularity);
  // A writer's secrets take about 1 KiB; the rest of the slot is ample.
  if (bytes.size() > kLargestSlot / 2) throw Error(Code::failed, "a password's name is too long");
  return bytes;
}

SlotLabel decode_slot_label(ByteView bytes, const std::string& subject) {
  Reader reader(bytes, subject);
  SlotLabel label;
  label.created_ns = reader.integer<std::uint64_t>();
  const auto padded = as_text(reader.rest());
  label.name = padded.substr(0, padded.find('\0'));
  reader.take(label.name.size());
  if (bytes.size() % kLabelGranularity != 0 || reader.rest().size() >= kLabelGranularity) {
    throw Error(Code::corrupt, "has a label that is not padded as it must be", subject);
  }
  reader.expect_zero(reader.rest().size());
  return label;
}

}  // namespace mbu::format
