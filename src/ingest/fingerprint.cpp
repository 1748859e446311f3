#include "ingest/fingerprint.hpp"

#include <algorithm>

namespace mbu::ingest {
namespace {

// Coarse clocks tick every 1 to 10 ms.
constexpr std::int64_t kGrainNs = 20'000'000;
// Some file systems keep whole seconds (ext4 with small inodes, ext3, HFS+), and FAT every other one.
constexpr std::int64_t kWholeSecondsGrainNs = 2'000'000'000 + kGrainNs;

std::int64_t nanoseconds(FileTime time) {
  // Wraps after 2262, as any difference of two such values then does, which is all that it is used for.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.seconds) * 1'000'000'000U + time.nanoseconds);
}

}  // namespace

std::uint64_t fingerprint(const source::Item& item, FileTime now, const std::array<std::uint8_t, 16>& key) noexcept {
  const auto& s = item.status;
  // A time of whole seconds tells such a file system; by chance it costs one more look.
  const auto grain = s.ctime.nanoseconds == 0 ? kWholeSecondsGrainNs : kGrainNs;
  if (nanoseconds(now) - nanoseconds(s.ctime) < grain) return 0;
  const bool linked = s.nlink > 1 && s.type != EntryType::directory;
  const bool directory = s.type == EntryType::directory;
  const std::array<std::uint64_t, 12> words{
      static_cast<std::uint64_t>(s.type) | std::uint64_t{s.mode} << 8 | std::uint64_t{s.flags} << 32,
      std::uint64_t{s.uid} | std::uint64_t{s.gid} << 32,
      directory ? 0 : s.size,
      s.ino,
      s.rdev,
      linked ? s.dev : 0,  // link groups are made of it
      linked ? s.nlink : 0,
      static_cast<std::uint64_t>(s.mtime.seconds),
      s.mtime.nanoseconds,
      static_cast<std::uint64_t>(s.ctime.seconds),
      s.ctime.nanoseconds,
      item.name.size(),
  };
  thread_local ByteBuffer bytes;
  bytes.resize(sizeof words);
  std::memcpy(bytes.data(), words.data(), sizeof words);  // for this machine only: its own byte order
  append(bytes, as_bytes(item.name));
  return std::max<std::uint64_t>(1, crypto::short_hash(key, bytes));
}

crypto::Digest fingerprint(const std::vector<std::uint64_t>& entries, const crypto::Key& key) {
  if (std::ranges::count(entries, 0U) != 0) return {};
  return crypto::keyed_hash(key, {reinterpret_cast<const std::uint8_t*>(entries.data()), entries.size() * 8});
}

}  // namespace mbu::ingest
