// Statements: what the owner says about the repository (FORMAT.md §9). What many of them mean together is keys/'s and
// repo/'s business. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "mbu/types/ids.hpp"

namespace mbu::format {

struct Feature {
  // What a program that does not know the feature must not do.
  enum class Required : std::uint8_t { ignorable = 0, to_write = 1, to_read = 2 };
  std::string name;  // not empty
  Required required = Required::ignorable;
  bool operator==(const Feature&) const = default;
};

struct SealingKey {
  std::uint32_t generation = 0;
  PublicKey public_key;  // X25519
  bool operator==(const SealingKey&) const = default;
};

// Lengths of chunks in bytes: 64 <= minimum <= normal <= maximum <= 4 MiB.
struct ChunkerParameters {
  std::uint32_t minimum = 0;
  std::uint32_t normal = 0;
  std::uint32_t maximum = 0;
  bool operator==(const ChunkerParameters&) const = default;
};

struct AdmittedWriter {
  PublicKey public_key;  // Ed25519
  std::string name;
  DomainId domain;
  std::optional<ObjectName> slot = {};  // that wraps its credential
  bool operator==(const AdmittedWriter&) const = default;
};

// A writer that may not add any more, and what of its work stays good.
struct Removal {
  PublicKey public_key;
  std::vector<ObjectName> accepted_snapshots;
  std::vector<ObjectName> accepted_packs;
  bool operator==(const Removal&) const = default;
};

// What an instance published after `last_number` is void.
struct Fence {
  InstanceId instance;
  std::uint64_t last_number = 0;
  bool operator==(const Fence&) const = default;
};

// Keys of a new generation, sealed to a slot whose password was not at hand.
struct Grant {
  PublicKey slot_public_key;  // X25519
  std::uint32_t generation = 0;
  ByteBuffer sealed;  // not empty
  bool operator==(const Grant&) const = default;
};

struct Statement {
  std::uint64_t number = 1;          // 1 exactly when `previous` is empty
  std::vector<ObjectName> previous;  // the heads when it was made
  std::int64_t time_ns = 0;          // since 1970
  std::vector<Feature> features;
  std::vector<SealingKey> sealing;
  std::optional<ChunkerParameters> chunker;
  std::vector<AdmittedWriter> admitted;
  std::vector<Removal> removed;
  std::vector<ObjectName> slots_added;
  std::vector<ObjectName> slots_removed;
  std::vector<ObjectName> pins;     // snapshots
  std::vector<ObjectName> forgets;  // snapshots
  std::vector<Fence> fences;
  std::vector<Grant> grants;
  bool operator==(const Statement&) const = default;
};

// Preconditions: what the members say.
[[nodiscard]] ByteBuffer encode_statement(const Statement& statement);
// Throws Code::corrupt.
[[nodiscard]] Statement decode_statement(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
