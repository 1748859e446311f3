// Location tables of chunks that do not exist, as many as wanted.
#pragma once

#include <array>
#include <cstring>
#include <string>

#include "cache/location_tables.hpp"

namespace mbu::bench {

inline constexpr std::uint32_t kChunksInPack = 512;

inline std::uint64_t mix(std::uint64_t x) {  // SplitMix64 (Steele, Lea, Flood, 2014)
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// The id of the chunk that comes at that place in order: evenly spread, with a random part, so that it need not be kept.
inline ChunkPrefix synthetic_id(std::uint64_t number, std::uint64_t count, std::uint64_t seed) {
  const std::uint64_t step = UINT64_MAX / count;
  const std::uint64_t hash = mix(number ^ seed << 60);
  const std::array<std::uint64_t, 2> words{number * step + hash % step, mix(hash)};
  ChunkPrefix id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(words[0] >> (56 - 8 * i));
  std::memcpy(id.bytes.data() + 8, words.data() + 1, 8);
  return id;
}

// Of ids of seed 1; the path of its file.
inline std::string make_table(const cache::LocationTables& tables, std::uint64_t count) {
  auto writer = tables.start(count);
  const auto packs = static_cast<std::uint32_t>(count / kChunksInPack + 1);
  for (std::uint32_t i = 0; i < packs; ++i) {
    ObjectName name;
    const std::uint64_t hash = mix(i);
    std::memcpy(name.bytes.data(), &hash, sizeof hash);
    (void)writer.add_pack(name, ByteBuffer(700, static_cast<std::uint8_t>(i)));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto place = static_cast<std::uint32_t>(mix(i ^ 99) % count);
    writer.add({synthetic_id(i, count, 1), place / kChunksInPack, place % 16, place % 1'000'000, 65'536});
  }
  return writer.finish({});
}

}  // namespace mbu::bench
