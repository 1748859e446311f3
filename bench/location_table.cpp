// The index of a large repository:  bench_location_table DIRECTORY [CHUNKS]
//
// Makes a location table of so many chunks (default: 100 million, in packs of 512) as a run would find it in its cache, and
// measures: opening it, look-ups of ids that are not in it and of ids that are, on one thread, and anonymous memory meanwhile. The file stays
// in the page cache as far as there is memory.
#include <fmt/core.h>

#include <cstdlib>
#include <random>

#include "bench/measure.hpp"
#include "cache/location_tables.hpp"

namespace {

using namespace mbu;

constexpr std::uint32_t kChunksInPack = 512;

std::uint64_t mix(std::uint64_t x) {  // SplitMix64 (Steele, Lea, Flood, 2014)
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// The id of the chunk that comes at that place in order: evenly spread, with a random part, so that it need not be kept.
ChunkId id_of(std::uint64_t number, std::uint64_t count, std::uint64_t seed) {
  const std::uint64_t step = UINT64_MAX / count;
  const std::uint64_t hash = mix(number ^ seed << 60);
  std::array<std::uint64_t, 4> words{number * step + hash % step, mix(hash), mix(hash + 1), mix(hash + 2)};
  ChunkId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(words[0] >> (56 - 8 * i));
  std::memcpy(id.bytes.data() + 8, words.data() + 1, 24);
  return id;
}

std::string make(const cache::LocationTables& tables, std::uint64_t count) {
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
    writer.add({id_of(i, count, 1), place / kChunksInPack, place % 16, place % 1'000'000, 65'536});
  }
  return writer.finish({});
}

template <class Id>
void measure(const char* what, const cache::LocationTable& table, cache::LocationTable::Lookup expected, Id id) {
  constexpr std::uint64_t kRounds = 1'000'000;
  std::mt19937_64 random(3);
  std::vector<cache::ChunkPlace> found;
  for (const char* pass : {"first", "again"}) {
    random.seed(3);
    const bench::Stopwatch watch;
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      found.clear();
      wrong += table.find(id(random()), found) != expected;
    }
    const double seconds = watch.seconds();
    fmt::print("{:8} {:6} {:9.0f} look-ups/s, {} wrong, {:.0f} MiB anonymous\n", what, pass, kRounds / seconds, wrong,
               bench::anonymous_memory());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: bench_location_table DIRECTORY [CHUNKS]\n");
    return 2;
  }
  const std::uint64_t chunks = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 100'000'000;
  const crypto::Key key;
  const cache::LocationTables tables(arguments[1], key);
  bench::Stopwatch making;
  const auto path = make(tables, chunks);
  fmt::print("made     {} chunks in {:.1f} s\n", chunks, making.seconds());
  for (int i = 0; i < 2; ++i) {
    const bench::Stopwatch opening;
    const auto table = tables.open(path);
    fmt::print("opened   in {:.1f} ms, {:.0f} MiB anonymous\n", opening.seconds() * 1e3, bench::anonymous_memory());
    if (i == 0) continue;
    measure("absent", *table, cache::LocationTable::Lookup::absent,
            [&](std::uint64_t number) { return id_of(number % chunks, chunks, 2); });
    measure("present", *table, cache::LocationTable::Lookup::found,
            [&](std::uint64_t number) { return id_of(number % chunks, chunks, 1); });
    tables.remove(*table);
  }
}
