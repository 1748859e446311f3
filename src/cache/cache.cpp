#include "cache/cache.hpp"

#include <map>

#include "cache/database.hpp"
#include "format/header.hpp"

namespace mbu::cache {
namespace {

constexpr std::size_t kChecksumSize = 16;

ByteBuffer encode(const DirectoryRecord& record) {
  ByteBuffer bytes;
  append(bytes, record.page.view());
  append(bytes, record.fingerprint);
  for (auto number : {record.files, record.directories, record.bytes}) append(bytes, number);
  append(bytes, static_cast<std::uint64_t>(record.child_pages.size()));
  for (const auto& id : record.child_pages) append(bytes, id.view());
  for (auto fingerprint : record.fingerprints) append(bytes, fingerprint);
  return bytes;
}

// Precondition: `bytes` passed their checksum, so they are what encode() made.
DirectoryRecord decode(ByteView bytes) {
  Reader reader(bytes, "cache record");
  DirectoryRecord record;
  record.page = reader.identifier<ChunkId>();
  record.fingerprint = reader.identifier<Identifier<struct DigestTag, 32>>().bytes;
  record.files = reader.integer<std::uint64_t>();
  record.directories = reader.integer<std::uint64_t>();
  record.bytes = reader.integer<std::uint64_t>();
  const auto children = reader.integer<std::uint64_t>();
  record.child_pages.reserve(children);
  for (std::uint64_t i = 0; i < children; ++i) record.child_pages.push_back(reader.identifier<ChunkId>());
  record.fingerprints.reserve(reader.rest().size() / 8);
  while (!reader.rest().empty()) record.fingerprints.push_back(reader.integer<std::uint64_t>());
  return record;
}

}  // namespace

// A cache with a database.
struct Cache::Kept {
  Kept(std::string directory, const crypto::Key& given, std::function<void(const std::string&)> warn)
      : where(std::move(directory)),
        key(given.clone()),
        database(where, std::move(warn)),
        checksum_key(crypto::derive("mbu v1 cache checksum key", {crypto::view(key)})),
        page_key(crypto::derive("mbu v1 cache page key", {crypto::view(key)})) {}

  std::string where;
  crypto::Key key;
  Database database;
  std::map<DomainId, std::unique_ptr<LocationTables>> tables;  // the database's mutex guards them
  crypto::Key checksum_key;
  crypto::Key page_key;
  std::size_t most_records = 0;
  std::map<crypto::Digest, DirectoryRecord> records;  // not written yet; the database's mutex guards them

  // What is stored of a record.
  ByteBuffer checksummed(ByteView path_key, const DirectoryRecord& record) const {
    const auto content = encode(record);
    crypto::Digest digest;
    const auto sum = checksum(path_key, content, digest);
    ByteBuffer stored(sum.begin(), sum.end());
    append(stored, content);
    return stored;
  }

  ByteView checksum(const ByteView path_key, ByteView content, crypto::Digest& digest) const {
    ByteBuffer both(path_key.begin(), path_key.end());
    append(both, content);
    digest = crypto::keyed_hash(checksum_key, both);
    return ByteView(digest).first(kChecksumSize);
  }

  // The mutex is held.
  void write(const crypto::Digest& path_key, ByteView stored) {
    database.guarded([&] {
      database.begin(Database::Transaction::write);
      database.statement("INSERT OR REPLACE INTO directories VALUES(?,?,?)").bind(1, path_key).bind(2, Database::today()).bind(3, stored).step();
    });
  }
  void note_use(const crypto::Digest& path_key) {
    database.guarded([&] {
      database.begin(Database::Transaction::write);
      database.statement("UPDATE directories SET day=? WHERE key=?").bind(1, Database::today()).bind(2, path_key).step();
    });
  }
  void write_back() {
    for (const auto& [path_key, record] : records) write(path_key, checksummed(path_key, record));
    records.clear();
    database.guarded([&] { database.commit(); });
  }
};

Cache::Cache(std::string directory, const crypto::Key& key, std::function<void(const std::string&)> warn)
    : kept_(std::make_unique<Kept>(std::move(directory), key, std::move(warn))) {}
Cache::Cache() = default;
Cache::~Cache() = default;

// The lock is held while SQLite works and no longer: all workers share it.
std::optional<DirectoryRecord> Cache::find_directory(const crypto::Digest& path_key) {
  if (!kept_) return std::nullopt;
  ByteBuffer stored;
  {
    const std::scoped_lock lock(kept_->database.mutex);
    auto used_before = Database::today();
    if (const auto waiting = kept_->records.find(path_key); waiting != kept_->records.end()) return waiting->second;
    kept_->database.guarded([&] {
      kept_->database.begin(Database::Transaction::read);
      auto found = kept_->database.statement("SELECT record, day FROM directories WHERE key=?");
      if (!found.bind(1, path_key).step()) return;
      append(stored, found.bytes(0));
      used_before = found.number(1);
    });
    if (Database::today() - used_before >= Database::kNotedDays) kept_->note_use(path_key);
  }
  if (stored.size() < kChecksumSize) return std::nullopt;
  const auto content = ByteView(stored).subspan(kChecksumSize);
  crypto::Digest digest;
  const auto sum = kept_->checksum(path_key, content, digest);
  if (!crypto::equal_in_constant_time(sum, ByteView(stored).first(kChecksumSize))) return std::nullopt;
  return decode(content);
}

void Cache::put_directory(const crypto::Digest& path_key, const DirectoryRecord& record) {
  if (!kept_) return;
  if (kept_->most_records == 0) {
    const auto stored = kept_->checksummed(path_key, record);
    const std::scoped_lock lock(kept_->database.mutex);
    kept_->write(path_key, stored);
    return;
  }
  const std::scoped_lock lock(kept_->database.mutex);
  kept_->records.insert_or_assign(path_key, record);
  if (kept_->records.size() >= kept_->most_records) kept_->write_back();
}

void Cache::keep_back(std::size_t most) {
  if (kept_) kept_->most_records = most;
}

void Cache::write_back() {
  if (!kept_) return;
  const std::scoped_lock lock(kept_->database.mutex);
  kept_->write_back();
}

std::unique_ptr<Pages> Cache::open_pages(const crypto::Digest& series, Pages::Unwritten unwritten) {
  if (!kept_) return std::make_unique<Pages>(unwritten);
  return std::make_unique<Pages>(kept_->database, kept_->page_key, series, unwritten);
}

void Cache::end_reads() {
  if (!kept_) return;
  const std::scoped_lock lock(kept_->database.mutex);
  kept_->database.guarded([&] { kept_->database.end_reads(); });
}

void Cache::commit() {
  if (!kept_) return;
  const std::scoped_lock lock(kept_->database.mutex);
  kept_->database.guarded([&] { kept_->database.commit(); });
}

const LocationTables* Cache::location_tables(const DomainId& domain) const {
  if (!kept_) return nullptr;
  const std::scoped_lock lock(kept_->database.mutex);
  auto& tables = kept_->tables[domain];
  if (!tables) {
    const bool main = domain == format::kMainDomain;
    const auto key = main ? kept_->key.clone() : crypto::derive("mbu v1 cache location key", {crypto::view(kept_->key), domain.view()});
    tables = std::make_unique<LocationTables>(kept_->where, key);
  }
  return tables.get();
}

}  // namespace mbu::cache
