// The parts that a backup is made of, each beside what the machine can do at best:  bench_parts [--benchmark_filter=REGEX]
//
// Bytes a second are of plain data. A part that falls behind its primitive is where a slower release lost its time.
#include <benchmark/benchmark.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "bench/synthetic_index.hpp"
#include "chunk/chunker.hpp"
#include "crypto/gcm.hpp"
#include "format/page.hpp"
#include "repo/block_codec.hpp"
#include "repo/vault.hpp"
#include "source/local_source.hpp"

namespace {

using namespace mbu;

constexpr std::size_t kMiB = 1U << 20;

ByteBuffer random_bytes(std::size_t size) {
  std::mt19937_64 engine(1);
  ByteBuffer bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine());
  return bytes;
}

// Like prose: words of a small vocabulary, few of them often.
ByteBuffer text(std::size_t size) {
  std::mt19937_64 engine(2);
  std::vector<std::string> words(4000);
  for (auto& word : words) {
    for (auto length = 2 + engine() % 9; length > 0; --length) word.push_back(static_cast<char>('a' + engine() % 26));
  }
  ByteBuffer bytes;
  while (bytes.size() < size) {
    const auto rank = static_cast<std::size_t>(4000.0 / static_cast<double>(1 + engine() % 4000)) - 1;
    append(bytes, as_bytes(words[rank]));
    bytes.push_back(engine() % 12 == 0 ? '\n' : ' ');
  }
  bytes.resize(size);
  return bytes;
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
}

// A repository in memory, for its keys.
class Keys {
 public:
  Keys() {
    char pattern[] = "/dev/shm/mbu-bench-XXXXXX";
    place_ = ::mkdtemp(pattern);
    const auto password = [] {
      char word[] = "bench";
      return Password::take(word, 5);
    };
    (void)repo::Vault::create(store::open_store(place_ + "/r"), password(), InitOptions{}, "bench");
    vault_ = repo::Vault::open(store::open_store(place_ + "/r"), {.obtain = password});
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() { std::filesystem::remove_all(place_); }
  [[nodiscard]] const keys::Keyring& keyring() const { return vault_->keyring(); }

 private:
  std::string place_;
  std::unique_ptr<repo::Vault> vault_;
};

const keys::Keyring& keyring() {
  static const Keys keys;
  return keys.keyring();
}

// --- What the machine can do ---

void memory_copy(benchmark::State& state) {
  const auto from = random_bytes(64 * kMiB);
  ByteBuffer to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  count_bytes(state, from.size());
}
BENCHMARK(memory_copy);

void zstd_level_3(benchmark::State& state) {
  const auto from = text(static_cast<std::size_t>(state.range(0)));
  ByteBuffer to(ZSTD_compressBound(from.size()));
  auto* context = ZSTD_createCCtx();
  for (auto _ : state) benchmark::DoNotOptimize(ZSTD_compressCCtx(context, to.data(), to.size(), from.data(), from.size(), 3));
  ZSTD_freeCCtx(context);
  count_bytes(state, from.size());
}
BENCHMARK(zstd_level_3)->Arg(kMiB)->Arg(2 * kMiB);

void aes_256_gcm(benchmark::State& state, std::unique_ptr<crypto::Gcm> gcm) {
  if (gcm == nullptr) return state.SkipWithError("not with this processor");
  auto bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  const auto additional = random_bytes(32);
  for (auto _ : state) benchmark::DoNotOptimize(gcm->seal(crypto::kZeroNonce, additional, bytes, bytes));
  count_bytes(state, bytes.size());
}
void aes_256_gcm_openssl(benchmark::State& state) { aes_256_gcm(state, crypto::make_openssl_gcm(crypto::random_key())); }
void aes_256_gcm_ipsec(benchmark::State& state) { aes_256_gcm(state, crypto::make_ipsec_gcm(crypto::random_key())); }
void aes_256_gcm_ipsec_avx2(benchmark::State& state) {
  aes_256_gcm(state, crypto::make_ipsec_gcm(crypto::random_key(), crypto::Vectors::avx2));
}
BENCHMARK(aes_256_gcm_openssl)->Arg(256)->Arg(4096)->Arg(kMiB);
BENCHMARK(aes_256_gcm_ipsec)->Arg(256)->Arg(4096)->Arg(kMiB);
BENCHMARK(aes_256_gcm_ipsec_avx2)->Arg(256)->Arg(4096)->Arg(kMiB);

void sha_256(benchmark::State& state) {
  const auto bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(bytes));
  count_bytes(state, bytes.size());
}
BENCHMARK(sha_256)->Arg(kMiB);

// The tree whose directories are walked.
constexpr const char* kWalked = "/usr/include";

std::int64_t walk_plainly(int parent, const char* name) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* directory = fd < 0 ? nullptr : ::fdopendir(fd);
  std::int64_t entries = 0;
  while (const auto* entry = directory == nullptr ? nullptr : ::readdir(directory)) {
    const std::string_view found = entry->d_name;
    if (found == "." || found == "..") continue;
    struct statx status;
    if (::statx(fd, entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) continue;
    ++entries;
    if (S_ISDIR(status.stx_mode)) entries += walk_plainly(fd, entry->d_name);
  }
  if (directory != nullptr) ::closedir(directory);
  return entries;
}

void statx_walk(benchmark::State& state) {
  std::int64_t entries = 0;
  for (auto _ : state) entries += walk_plainly(AT_FDCWD, kWalked);
  state.SetItemsProcessed(entries);
}
BENCHMARK(statx_walk);

// --- Parts ---

void cut_all(benchmark::State& state, const ByteBuffer& bytes) {
  const chunk::Chunker chunker(keyring().own_domain().gear, {});
  for (auto _ : state) {
    for (ByteView rest = bytes; !rest.empty();) {
      const auto length = chunker.cut(rest, true);
      benchmark::DoNotOptimize(length);
      rest = rest.subspan(length);
    }
  }
  count_bytes(state, bytes.size());
}

void chunk_cut_random(benchmark::State& state) { cut_all(state, random_bytes(64 * kMiB)); }
BENCHMARK(chunk_cut_random);

// Bytes that do not look random: cut into small chunks.
void chunk_cut_plain(benchmark::State& state) {
  auto bytes = random_bytes(64 * kMiB);
  for (auto& byte : bytes) byte &= 0x7f;
  cut_all(state, bytes);
}
BENCHMARK(chunk_cut_plain);

void chunk_id(benchmark::State& state) {
  const auto bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  const auto& domain = keyring().own_domain();
  for (auto _ : state) benchmark::DoNotOptimize(repo::chunk_id(domain, format::BlockRole::data, bytes));
  count_bytes(state, bytes.size());
}
BENCHMARK(chunk_id)->Arg(1024)->Arg(16 * 1024)->Arg(64 * 1024);

void seal_block(benchmark::State& state, const ByteBuffer& bytes, bool verify) {
  std::vector<format::ChunkRef> chunks;
  constexpr std::size_t kChunk = 64 * 1024;
  for (ByteView rest = bytes; !rest.empty();) {
    const auto piece = rest.first(std::min(kChunk, rest.size()));
    chunks.push_back({repo::chunk_id(keyring().own_domain(), format::BlockRole::data, piece), static_cast<std::uint32_t>(piece.size())});
    rest = rest.subspan(piece.size());
  }
  repo::BlockScratch scratch{Compression{}};
  const auto header = repo::make_header(keyring(), format::ObjectKind::pack);
  repo::BlockSealer sealer(header, keyring().own_domain(), verify);
  for (auto _ : state) benchmark::DoNotOptimize(sealer.seal(format::BlockRole::data, repo::Packing::compressed, bytes, chunks, scratch));
  count_bytes(state, bytes.size());
}
void seal_block_text(benchmark::State& state) { seal_block(state, text(2 * kMiB), true); }
void seal_block_text_unverified(benchmark::State& state) { seal_block(state, text(2 * kMiB), false); }
void seal_block_random(benchmark::State& state) { seal_block(state, random_bytes(2 * kMiB), true); }
void seal_block_random_unverified(benchmark::State& state) { seal_block(state, random_bytes(2 * kMiB), false); }
BENCHMARK(seal_block_text);
BENCHMARK(seal_block_text_unverified);
BENCHMARK(seal_block_random);
BENCHMARK(seal_block_random_unverified);

void open_block(benchmark::State& state) {
  const auto bytes = text(2 * kMiB);
  const format::ChunkRef chunk{repo::chunk_id(keyring().own_domain(), format::BlockRole::data, bytes),
                               static_cast<std::uint32_t>(bytes.size())};
  repo::BlockScratch scratch{Compression{}}, other{Compression{}};
  const auto header = repo::make_header(keyring(), format::ObjectKind::pack);
  repo::BlockSealer sealer(header, keyring().own_domain(), false);
  const auto sealed = sealer.seal(format::BlockRole::data, repo::Packing::compressed, bytes, {&chunk, 1}, scratch);
  repo::BlockOpener opener(header);
  for (auto _ : state) {
    const auto stored = other.stored.resize(sealed.stored.size());
    std::ranges::copy(sealed.stored, stored.begin());  // as if read from a file
    benchmark::DoNotOptimize(opener.open(0, sealed.entry, stored, other, "bench"));
  }
  count_bytes(state, bytes.size());
}
BENCHMARK(open_block);

format::Page page_of_500() {
  format::Page page;
  for (int i = 0; i < 500; ++i) {
    format::Entry entry;
    entry.name = "file name " + std::to_string(10'000 + i);
    entry.type = EntryType::regular;
    entry.mode = 0644;
    entry.mtime = {1'700'000'000 + i, static_cast<std::uint32_t>(i)};
    entry.size = 65'536;
    entry.content.kind = format::Content::Kind::direct;
    entry.content.chunks = {{ChunkId::from(random_bytes(32)), 65'536}};
    page.entries.push_back(std::move(entry));
  }
  return page;
}

void encode_page(benchmark::State& state) {
  const auto page = page_of_500();
  for (auto _ : state) benchmark::DoNotOptimize(format::encode_page(page));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 500);
}
BENCHMARK(encode_page);

void decode_page(benchmark::State& state) {
  const auto bytes = format::encode_page(page_of_500());
  for (auto _ : state) benchmark::DoNotOptimize(format::decode_page(bytes, "bench"));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 500);
}
BENCHMARK(decode_page);

std::int64_t walk_source(source::Directory& directory) {
  const auto items = directory.list([](const std::string&, const Error&) {});
  auto entries = static_cast<std::int64_t>(items.size());
  for (const auto& item : items) {
    if (item.status.type == EntryType::directory) entries += walk_source(*directory.open_directory(item));
  }
  return entries;
}

void directory_walk(benchmark::State& state) {
  const std::vector<std::string> paths{kWalked};
  const source::Selector selector({}, paths, {});
  std::int64_t entries = 0;
  for (auto _ : state) entries += walk_source(*source::open_local_source(paths, selector, {})->root());
  state.SetItemsProcessed(entries);
}
BENCHMARK(directory_walk);

// In a location table of a million chunks, which fits into memory; bench_location_table has one of 100 million.
void index_look_up(benchmark::State& state, std::uint64_t seed, cache::LocationTable::Lookup expected) {
  constexpr std::uint64_t kChunks = 1'000'000;
  char pattern[] = "/dev/shm/mbu-bench-XXXXXX";
  const std::string place = ::mkdtemp(pattern);
  {
    const cache::LocationTables tables(place, crypto::random_key());
    const auto table = tables.open(bench::make_table(tables, kChunks));
    std::mt19937_64 random(3);
    std::vector<cache::ChunkPlace> found;
    for (auto _ : state) {
      found.clear();
      if (table->find(bench::synthetic_id(random() % kChunks, kChunks, seed), found) != expected) state.SkipWithError("wrong answer");
    }
  }
  std::filesystem::remove_all(place);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
void index_look_up_absent(benchmark::State& state) { index_look_up(state, 2, cache::LocationTable::Lookup::absent); }
void index_look_up_present(benchmark::State& state) { index_look_up(state, 1, cache::LocationTable::Lookup::found); }
BENCHMARK(index_look_up_absent);
BENCHMARK(index_look_up_present);

}  // namespace

BENCHMARK_MAIN();
