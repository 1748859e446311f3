// The file `config`: what a repository is called and who owns it (FORMAT.md §4). This layer has no hash: the
// caller appends H(head) and compares it. Pure functions; any thread.
#pragma once

#include "mbu/types/ids.hpp"

namespace mbu::format {

inline constexpr std::size_t kConfigHeadSize = 80;
inline constexpr std::size_t kConfigSize = 112;

struct Config {
  RepositoryId repository;
  PublicKey owner;  // Ed25519
  bool operator==(const Config&) const = default;
};

// The first kConfigHeadSize bytes; the file is these and their hash.
[[nodiscard]] ByteBuffer encode_config_head(const Config& config);

// Views into the bytes that were decoded.
struct DecodedConfig {
  Config config;
  ByteView head;      // what the checksum must be the hash of
  ByteView checksum;  // 32 bytes
};

// Throws Code::corrupt, or Code::failed when version or suite are not known here. The caller checks the hash.
[[nodiscard]] DecodedConfig decode_config(ByteView bytes, const std::string& subject = "config");

}  // namespace mbu::format
