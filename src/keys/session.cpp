// A key's payload: one byte for the role, 32 for the slot's name, then what the slot wraps.
#include "keys/session.hpp"

#include <algorithm>

#include "os/kernel_keyring.hpp"

namespace mbu::keys {
namespace {

constexpr std::size_t kHead = 1 + ObjectName::kSize;
constexpr std::size_t kOwners = 2 * sizeof(crypto::Digest);

std::string key_name(const RepositoryId& repository) { return "mbu:" + repository.hex(); }

void put(const RepositoryId& repository, format::Role role, const ObjectName& slot, ByteView secret, std::uint32_t seconds) {
  crypto::LockedBytes payload(kHead + secret.size());
  payload.bytes()[0] = static_cast<std::uint8_t>(role);
  std::ranges::copy(slot.bytes, payload.bytes().begin() + 1);
  std::ranges::copy(secret, payload.bytes().begin() + kHead);
  os::put_session_key(key_name(repository), payload.bytes(), seconds);
}

}  // namespace

void keep_in_session(const RepositoryId& repository, const Unlocked& unlocked, const ObjectName& slot, std::uint32_t seconds) {
  if (const auto* owner = std::get_if<OwnerSecrets>(&unlocked)) {
    crypto::Secret<std::array<std::uint8_t, kOwners>> secrets;
    std::ranges::copy(owner->root.expose(), secrets.expose().begin());
    std::ranges::copy(owner->pair.expose(), secrets.expose().begin() + sizeof(crypto::Digest));
    return put(repository, format::Role::owner, slot, secrets.expose(), seconds);
  }
  auto credential = format::encode_writer_credential(std::get<format::WriterCredential>(unlocked));
  try {
    put(repository, format::Role::writer, slot, credential, seconds);
  } catch (...) {
    crypto::wipe(credential);
    throw;
  }
  crypto::wipe(credential);
}

std::optional<SessionKeys> find_in_session(const RepositoryId& repository) {
  crypto::LockedBytes room(os::kLargestSessionKey);
  const auto size = os::find_session_key(key_name(repository), room.bytes());
  if (!size || *size <= kHead) return std::nullopt;
  const ByteView payload = ByteView(room.bytes()).first(*size);
  const auto secret = payload.subspan(kHead);
  std::optional<Unlocked> secrets;
  try {
    if (payload[0] == static_cast<std::uint8_t>(format::Role::owner) && secret.size() == kOwners) {
      secrets.emplace(OwnerSecrets{crypto::key_from(secret.first(sizeof(crypto::Digest))), crypto::key_from(secret.last(sizeof(crypto::Digest)))});
    } else if (payload[0] == static_cast<std::uint8_t>(format::Role::writer)) {
      secrets.emplace(format::decode_writer_credential(secret, "keys of this session"));
    } else {
      return std::nullopt;
    }
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    return std::nullopt;
  }
  return SessionKeys{std::move(*secrets), ObjectName::from(payload.subspan(1, ObjectName::kSize))};
}

bool drop_from_session(const RepositoryId& repository) { return os::remove_session_key(key_name(repository)); }

}  // namespace mbu::keys
