// The index of a large repository:  bench_location_table DIRECTORY [CHUNKS]
//
// Makes a location table of so many chunks (default: 100 million, in packs of 512) as a run would find it in its cache, and
// measures: opening it, look-ups of ids that are not in it and of ids that are, on one thread, and anonymous memory meanwhile. The file stays
// in the page cache as far as there is memory.
#include <fmt/core.h>

#include <cstdlib>
#include <random>

#include "bench/measure.hpp"
#include "bench/synthetic_index.hpp"

namespace {

using namespace mbu;

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
  const auto path = bench::make_table(tables, chunks);
  fmt::print("made     {} chunks in {:.1f} s\n", chunks, making.seconds());
  for (int i = 0; i < 2; ++i) {
    const bench::Stopwatch opening;
    const auto table = tables.open(path);
    fmt::print("opened   in {:.1f} ms, {:.0f} MiB anonymous\n", opening.seconds() * 1e3, bench::anonymous_memory());
    if (i == 0) continue;
    measure("absent", *table, cache::LocationTable::Lookup::absent,
            [&](std::uint64_t number) { return bench::synthetic_id(number % chunks, chunks, 2); });
    measure("present", *table, cache::LocationTable::Lookup::found,
            [&](std::uint64_t number) { return bench::synthetic_id(number % chunks, chunks, 1); });
    tables.remove(*table);
  }
}
