// Hashes: SHA-256 (FIPS 180-4) for object names, BLAKE3 (O'Connor et al., 2020) for chunk ids and key derivation,
// SipHash-2-4 (Aumasson, Bernstein 2012) for cuts, Poly1305 (RFC 8439, 2.5) for pages. Pure functions; any thread.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "crypto/secret.hpp"

namespace mbu::crypto {

using Digest = std::array<std::uint8_t, 32>;
using Sum = std::array<std::uint8_t, 16>;

[[nodiscard]] Digest sha256(ByteView bytes);

// SHA-256 of bytes that come in pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(ByteView bytes);
  // Ends it; the object may only be destroyed afterwards.
  [[nodiscard]] Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// BLAKE3 keyed mode.
[[nodiscard]] Digest keyed_hash(const Key& key, ByteView bytes);
// BLAKE3 key-derivation mode: `context` is a constant of the program, `material` the pieces joined.
[[nodiscard]] Key derive(std::string_view context, std::initializer_list<ByteView> material);
// The first out.size() bytes of BLAKE3's extendable output in keyed mode over nothing: a stream that the key determines.
void expand(const Key& key, MutableBytes out);

// Poly1305 under a one-time key, BLAKE3's keyed hash of the number: for a page of 4 KiB a fraction of what hashing it costs. Who
// computes a sum owns the numbers: under one key, no two messages may have the same.
[[nodiscard]] Sum numbered_sum(const Key& key, std::uint64_t number, ByteView bytes);

[[nodiscard]] std::uint64_t short_hash(const std::array<std::uint8_t, 16>& key, ByteView bytes) noexcept;

}  // namespace mbu::crypto
