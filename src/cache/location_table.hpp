// LocationTable: where chunks lie, in a file of this machine that is sorted by chunk, never changed, and can be deleted, cut short or
// filled with garbage at any time. It transcribes index objects, so that a run neither reads them again nor holds them in memory.
//
// The file is read piece by piece and not mapped: a mapped file that somebody truncates ends the program by SIGBUS. Every
// page carries a keyed checksum that is verified when it is read. In memory lie 8 bytes for each page of 145 chunks, and 48 for
// each pack.
//
// Absent ids are what a first backup asks for: a blocked Bloom filter (Putze, Sanders, Singler, 2007) of 12 bits a chunk answers
// them. A small table's lies in memory; of a large one's a look-up reads 64 bytes, and a page of it is verified when it is first
// read. Since ids are sorted, both filter and pages are written front to back.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "os/file.hpp"

namespace mbu::cache {

// One place of a chunk.
struct ChunkPlace {
  ChunkPrefix id;
  std::uint32_t pack = 0;    // into LocationTable::packs()
  std::uint32_t block = 0;   // below 65,536
  std::uint32_t offset = 0;  // bytes in the block, below 2^24
  std::uint32_t length = 0;  // bytes, below 2^24
  auto operator<=>(const ChunkPlace&) const = default;
};

// An index object that a table stands for, and who signed it.
struct TableSource {
  ObjectName index;
  PublicKey signer;
  DomainId domain;
  bool operator==(const TableSource&) const = default;
};

class LocationTable {
 public:
  enum class Lookup { absent, found, damaged };

  // Nothing when there is no table, or not one of this key and format, or one that is damaged. `key`: of the credential.
  [[nodiscard]] static std::unique_ptr<LocationTable> open(const std::string& path, const crypto::Key& key);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t chunk_count() const noexcept { return chunks_; }
  [[nodiscard]] const std::vector<ObjectName>& packs() const noexcept { return packs_; }
  [[nodiscard]] const std::vector<TableSource>& sources() const noexcept { return sources_; }

  // Appends all places of the chunk. Any thread.
  [[nodiscard]] Lookup find(const ChunkPrefix& id, std::vector<ChunkPlace>& to) const;
  // What add_pack() was given. Nothing when it is damaged. Any thread.
  [[nodiscard]] std::optional<ByteBuffer> pack_record(std::uint32_t number) const;

  // All places in order. One thread at a time; the table must outlive it.
  class Cursor {
   public:
    explicit Cursor(const LocationTable& table) : table_(&table) {}
    // found: `to` is the next place; absent: there is none left.
    [[nodiscard]] Lookup next(ChunkPlace& to);

   private:
    const LocationTable* table_;
    std::uint64_t page_ = 0;  // the next to read
    std::uint64_t place_ = 0, places_ = 0;
    ByteBuffer bytes_;
  };

 private:
  LocationTable() = default;
  [[nodiscard]] bool decode_header(ByteView header, const crypto::Key& key);
  [[nodiscard]] bool decode_directory(ByteView directory);
  [[nodiscard]] bool read_at(std::uint64_t offset, MutableBytes to) const;
  // A whole page at that offset, verified.
  [[nodiscard]] bool read_page(std::uint64_t offset, MutableBytes to) const;
  // The 64 bytes of the filter that tell of the chunk.
  [[nodiscard]] bool read_filter(const ChunkPrefix& id, MutableBytes to) const;
  [[nodiscard]] bool load_filter();

  std::string path_;
  os::Fd file_;
  std::optional<crypto::Key> key_;  // of this table alone
  std::uint64_t chunks_ = 0;
  std::uint64_t filter_at_ = 0, filter_blocks_ = 0;
  std::uint64_t pages_at_ = 0;
  std::uint64_t directory_at_ = 0, directory_size_ = 0;
  crypto::Sum directory_sum_{};
  std::vector<std::uint64_t> fences_;  // a page's first id, its first 8 bytes as a number
  std::vector<ObjectName> packs_;
  struct Record {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
  };
  std::vector<Record> records_;
  std::vector<TableSource> sources_;
  ByteBuffer filter_;                                         // its pages, when they are few
  mutable std::vector<std::atomic<std::uint64_t>> verified_;  // else a bit for each of them
};

// Writes one: first all packs, then all places in ascending order, then finish(). What is destroyed before leaves nothing. One thread.
// Throws Code::failed when the file cannot be written.
class LocationTableWriter {
 public:
  // `most_chunks`: how many places there will be at most.
  LocationTableWriter(std::string directory, const crypto::Key& key, std::uint64_t most_chunks);
  LocationTableWriter(const LocationTableWriter&) = delete;
  LocationTableWriter& operator=(const LocationTableWriter&) = delete;
  ~LocationTableWriter();

  // The number that places use for the pack.
  std::uint32_t add_pack(const ObjectName& name, ByteView record);
  void add(const ChunkPlace& place);
  // The path of the table.
  [[nodiscard]] std::string finish(const std::vector<TableSource>& sources);

 private:
  // A part of the file that grows from front to back.
  struct Stream {
    std::uint64_t offset = 0;  // of what is pending
    ByteBuffer pending;
  };
  void write(Stream& stream, ByteView bytes);
  void flush(Stream& stream);
  void begin_places();
  void write_page(Stream& stream, MutableBytes page);
  void close_filter_page();
  void close_place_page();

  std::string directory_, name_;
  crypto::Key credential_key_;
  std::array<std::uint8_t, 16> id_{};
  crypto::Key key_;
  os::Fd file_;
  bool finished_ = false;
  std::uint64_t most_chunks_, chunks_ = 0;
  std::uint64_t filter_at_ = 0, filter_blocks_ = 0, filter_page_ = 0;
  std::uint64_t pages_at_ = 0;
  std::uint32_t places_in_page_ = 0;
  Stream records_, filter_, pages_;
  ByteBuffer filter_bytes_, place_bytes_;  // the page at hand
  ByteBuffer pack_directory_;
  std::uint32_t packs_ = 0;
  std::vector<std::uint64_t> fences_;
};

}  // namespace mbu::cache
