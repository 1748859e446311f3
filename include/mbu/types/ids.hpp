// Fixed-length identifiers, each a type of its own so that none can be taken for another.
// Plain values; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mbu {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using ByteBuffer = std::vector<std::uint8_t>;

[[nodiscard]] std::string to_hex(ByteView bytes);
// The bytes of lower-case hex, or nothing when `text` is not exactly that.
[[nodiscard]] std::optional<ByteBuffer> from_hex(std::string_view text);

template <class Tag, std::size_t N>
struct Identifier {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  auto operator<=>(const Identifier&) const = default;

  [[nodiscard]] ByteView view() const noexcept { return bytes; }
  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  [[nodiscard]] bool is_zero() const noexcept { return *this == Identifier{}; }

  // Precondition: view.size() == N.
  [[nodiscard]] static Identifier from(ByteView view) noexcept {
    Identifier id;
    std::memcpy(id.bytes.data(), view.data(), N);
    return id;
  }
  [[nodiscard]] static std::optional<Identifier> parse(std::string_view hex) {
    auto raw = from_hex(hex);
    if (!raw || raw->size() != N) return std::nullopt;
    return from(*raw);
  }
};

// Ids are hashes or random: their first bytes are hash enough.
struct IdentifierHash {
  template <class Tag, std::size_t N>
  std::size_t operator()(const Identifier<Tag, N>& id) const noexcept {
    std::size_t h = 0;
    std::memcpy(&h, id.bytes.data(), sizeof h);
    return h;
  }
};

using ObjectName = Identifier<struct ObjectNameTag, 32>;      // SHA-256 of an object's bytes
using ChunkId = Identifier<struct ChunkIdTag, 32>;            // keyed hash of a chunk
using ChunkPrefix = Identifier<struct ChunkPrefixTag, 16>;    // the first half of a chunk's id, by which it is looked up
using RepositoryId = Identifier<struct RepositoryIdTag, 32>;  // random
using PublicKey = Identifier<struct PublicKeyTag, 32>;        // Ed25519 or X25519
using DomainId = Identifier<struct DomainIdTag, 16>;          // who deduplicates with whom
using InstanceId = Identifier<struct InstanceIdTag, 16>;      // one machine's use of a credential

[[nodiscard]] inline ChunkPrefix prefix_of(const ChunkId& id) noexcept { return ChunkPrefix::from(id.view().first(ChunkPrefix::kSize)); }

}  // namespace mbu
