// Pages: what packaging a change needs of the last snapshot, kept for who cannot read the repository: its pages, and the contents of tiny files
// that lie beside them. Encrypted on disk under the credential.
//
// Whoever puts goes from below upwards: what a page names is put before it. So whatever is found is complete below, as far as nothing was
// lost; what was costs reading files again. Pages of a series that nobody uses any more are deleted after Database::kKeptDays. What was used
// last is in memory, some 4 MiB of it; without a database everything is. Any thread.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace mbu::cache {

class Database;

class Pages {
 public:
  // What becomes of what cannot be written, once there is more of it than kMostInMemory.
  enum class Unwritten { stays, goes };
  // Of a series of snapshots of the same paths. The database must outlive it.
  Pages(Database& database, const crypto::Key& key, const crypto::Digest& series, Unwritten unwritten);
  // In memory only.
  explicit Pages(Unwritten unwritten = Unwritten::stays);
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages();

  [[nodiscard]] std::optional<ByteBuffer> find(const ChunkId& id);
  [[nodiscard]] bool has(const ChunkId& id);
  void put(const ChunkId& id, ByteView bytes);
  // To disk with what is only in memory yet.
  void write_back();

  // Deletes all but these.
  void sweep(const std::unordered_set<ChunkId, IdentifierHash>& live);

  static constexpr std::size_t kMostInMemory = 4U << 20;  // bytes

 private:
  using Key = std::int64_t;  // of a series and an id
  struct Held {
    ByteBuffer bytes;
    bool written = false;
    std::list<Key>::iterator age;
  };

  [[nodiscard]] Key key_of(const ChunkId& id) const noexcept;
  [[nodiscard]] Key first_key() const noexcept;  // of the series
  [[nodiscard]] Key last_key() const noexcept;
  // The mutex is held.
  [[nodiscard]] std::optional<ByteBuffer> read(const ChunkId& id);
  void hold(const ChunkId& id, ByteBuffer bytes, bool written);
  void note_use();
  void make_room();
  void write_held();
  void write(Key key, const Held& held);
  [[nodiscard]] ByteBuffer sealed(Key key, ByteView bytes);

  Database* database_ = nullptr;
  Unwritten unwritten_;
  std::optional<crypto::Aead> aead_;
  std::uint64_t series_ = 0;
  std::int64_t noted_ = 0;  // the day when its use was last noted
  std::mutex own_mutex_;  // without a database
  std::mutex* mutex_ = &own_mutex_;
  std::unordered_map<Key, Held> held_;
  std::list<Key> ages_;  // used last in front
  std::size_t held_bytes_ = 0;
};

}  // namespace mbu::cache
