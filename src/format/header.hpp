// The header of packs, indexes, snapshots, statements and locks (FORMAT.md §6). Pure functions; any thread.
#pragma once

#include <optional>

#include "mbu/types/ids.hpp"

namespace mbu::format {

enum class ObjectKind : char { pack = 'P', index = 'I', snapshot = 'S', statement = 'T', lock = 'L' };
// sealed: a random key sealed to the owner's public key; shared: a key all writers of a domain, or all readers, can derive.
enum class KeyMode : std::uint16_t { sealed = 1, shared = 2 };

inline constexpr std::size_t kHeaderPrefixSize = 96;
inline constexpr std::size_t kSealedKeySize = 80;
inline constexpr std::size_t kSharedHeaderSize = 128;
inline constexpr std::size_t kSealedHeaderSize = kSharedHeaderSize + kSealedKeySize;

// The owner's domain, that of every statement and lock.
inline constexpr DomainId kMainDomain{{'m', 'a', 'i', 'n'}};

[[nodiscard]] constexpr KeyMode key_mode(ObjectKind kind) noexcept {
  return kind == ObjectKind::pack || kind == ObjectKind::snapshot ? KeyMode::sealed : KeyMode::shared;
}
[[nodiscard]] constexpr std::size_t header_size(ObjectKind kind) noexcept {
  return key_mode(kind) == KeyMode::sealed ? kSealedHeaderSize : kSharedHeaderSize;
}

struct ObjectHeader {
  ObjectKind kind = ObjectKind::pack;
  RepositoryId repository;
  DomainId domain;
  std::uint32_t generation = 0;
  std::array<std::uint8_t, 32> random{};
  std::array<std::uint8_t, 32> commitment{};
  ByteBuffer sealed_key;  // kSealedKeySize bytes, or none when the mode is shared

  [[nodiscard]] KeyMode mode() const noexcept { return key_mode(kind); }
  bool operator==(const ObjectHeader&) const = default;
};

[[nodiscard]] inline std::size_t header_size(const ObjectHeader& header) noexcept { return header_size(header.kind); }

// The whole header. Throws Code::failed when the sealed key's length does not fit the kind, or a statement's or lock's
// domain is not kMainDomain.
[[nodiscard]] ByteBuffer encode_header(const ObjectHeader& header);
// Its first kHeaderPrefixSize bytes, which key derivation and commitment take; commitment and sealed key may still be unset.
[[nodiscard]] ByteBuffer encode_header_prefix(const ObjectHeader& header);

// The domain that the header at the start of `file_start` claims, of whatever kind; nothing when there are fewer bytes than its prefix has.
[[nodiscard]] std::optional<DomainId> claimed_domain(ByteView file_start) noexcept;
// Likewise the generation of keys.
[[nodiscard]] std::optional<std::uint32_t> claimed_generation(ByteView file_start) noexcept;

// The header at the start of `file_start`, which may go on. Throws Code::corrupt; repository, generation and commitment
// are for the caller to compare.
[[nodiscard]] ObjectHeader decode_header(ByteView file_start, ObjectKind expected, const std::string& subject);

}  // namespace mbu::format
