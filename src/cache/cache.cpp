#include "cache/cache.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.hpp"
#include "crypto/aead.hpp"
#include "os/file.hpp"

namespace mbu::cache {
namespace {

constexpr int kSchemaVersion = 1;
constexpr std::size_t kChecksumSize = 16;
constexpr int kBusyMilliseconds = 2000;
constexpr int kWritesATransaction = 512;  // others may write in between
constexpr int kReadsATransaction = 256;

struct DatabaseClose {
  void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
};
struct StatementClose {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, DatabaseClose>;
using Statement = std::unique_ptr<sqlite3_stmt, StatementClose>;

// SQLite said no. Never leaves this file.
struct Broken {
  int code;
};

void require(int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) throw Broken{code};
}

// Not called `bind`: std::bind would take an std::array first.
void bind_blob(sqlite3_stmt* statement, int column, ByteView bytes) {
  require(sqlite3_bind_blob64(statement, column, bytes.data(), bytes.size(), SQLITE_STATIC));
}

ByteView column(sqlite3_stmt* statement, int index) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, index));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement, index))};
}

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

struct Cache::Database {
  Database(std::string where, const crypto::Key& key, std::function<void(const std::string&)> warning)
      : directory(std::move(where)),
        checksum_key(crypto::derive("mbu v1 cache checksum key", {crypto::view(key)})),
        page_key(crypto::derive("mbu v1 cache page key", {crypto::view(key)})),
        pages(page_key),
        warn(std::move(warning)) {
    open();
  }

  std::string directory;
  crypto::Key checksum_key;
  crypto::Key page_key;
  crypto::Aead pages;
  std::function<void(const std::string&)> warn;
  bool rebuilt = false;
  bool told = false;
  Handle handle;
  Statement find_directory, put_directory, find_page, put_page;
  enum class Transaction { none, read, write };
  Transaction transaction = Transaction::none;
  int uses = 0;

  [[nodiscard]] std::string file() const { return directory + "/cache.db"; }

  void execute(const char* sql) { require(sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr)); }

  Statement prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v3(handle.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return Statement(statement);
  }

  int schema_version() {
    const auto version = prepare("PRAGMA user_version");
    require(sqlite3_step(version.get()));
    return sqlite3_column_int(version.get(), 0);
  }

  void tell(const std::string& text) {
    if (!std::exchange(told, true)) warn(text);
  }

  void try_open() {
    os::make_directories(directory, 0700, {Code::failed, directory});
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(file().c_str(), &raw,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle.reset(raw);
    require(code);
    ::chmod(file().c_str(), 0600);
    sqlite3_busy_timeout(raw, kBusyMilliseconds);
    // Losing the cache in a crash costs a slower run, so nothing is synced. Nothing is mapped, so that a file which somebody
    // cuts short is an error code and not a signal; write-ahead logging would map its -shm file.
    execute("PRAGMA mmap_size=0; PRAGMA synchronous=OFF; PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=-8192");
    const int found = schema_version();
    if (found != 0 && found != kSchemaVersion) throw Broken{SQLITE_SCHEMA};
    // Written by the first to come alone: who only reads must not wait for a writer.
    if (found == 0) {
      execute(
          "BEGIN IMMEDIATE;"
          "CREATE TABLE IF NOT EXISTS directories(key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;"
          "CREATE TABLE IF NOT EXISTS pages(id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;"
          "PRAGMA user_version=1;"
          "COMMIT");
    }
    find_directory = prepare("SELECT record FROM directories WHERE key=?");
    put_directory = prepare("INSERT OR REPLACE INTO directories VALUES(?,?)");
    find_page = prepare("SELECT sealed FROM pages WHERE id=?");
    put_page = prepare("INSERT OR IGNORE INTO pages VALUES(?,?)");
  }

  void close() {
    find_directory.reset();
    put_directory.reset();
    find_page.reset();
    put_page.reset();
    handle.reset();
    transaction = Transaction::none;
  }

  void open() {
    try {
      try_open();
    } catch (const Broken& broken) {
      recover(broken.code);
    } catch (const Error& error) {
      close();
      tell("the cache cannot be used: " + std::string(error.what()));
    }
  }

  // Someone else is writing, or it cannot be written: do without. Anything else: begin anew, once; then do without.
  void recover(int code) {
    close();
    const int kind = code & 0xff;
    if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) return;
    const bool unusable = kind == SQLITE_READONLY || kind == SQLITE_PERM || kind == SQLITE_FULL;
    if (unusable || kind == SQLITE_CANTOPEN || kind == SQLITE_NOMEM) {
      tell(std::string(unusable ? "the cache cannot be written: " : "the cache cannot be used: ") + sqlite3_errstr(code));
      return;
    }
    if (rebuilt) return;
    rebuilt = true;
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove_all(file() + suffix, ignored);
    }
    tell("the cache was damaged and is rebuilt");
    open();
  }

  template <class Work>
  void guarded(Work work) {
    if (!handle) return;
    try {
      work();
    } catch (const Broken& broken) {
      recover(broken.code);
    }
  }

  // Before each read and each write: many share a transaction, since to begin one is to lock the file and to look whether it changed.
  void begin(Transaction wanted) {
    const int most = transaction == Transaction::write ? kWritesATransaction : kReadsATransaction;
    if (++uses >= most || (wanted == Transaction::write && transaction == Transaction::read)) commit();
    if (transaction != Transaction::none) return;
    execute(wanted == Transaction::write ? "BEGIN IMMEDIATE" : "BEGIN");
    transaction = wanted;
    uses = 0;
  }

  void commit() {
    if (std::exchange(transaction, Transaction::none) != Transaction::none) execute("COMMIT");
  }

  // What is stored of a record.
  ByteBuffer checksummed(ByteView path_key, const DirectoryRecord& record) const {
    const auto content = encode(record);
    crypto::Digest digest;
    const auto sum = checksum(path_key, content, digest);
    ByteBuffer stored(sum.begin(), sum.end());
    append(stored, content);
    return stored;
  }

  ByteView checksum(const ByteView key, ByteView content, crypto::Digest& digest) const {
    ByteBuffer both(key.begin(), key.end());
    append(both, content);
    digest = crypto::keyed_hash(checksum_key, both);
    return ByteView(digest).first(kChecksumSize);
  }
};

Cache::Cache(std::string directory, const crypto::Key& key, std::function<void(const std::string&)> warn)
    : database_(std::make_unique<Database>(directory, key, std::move(warn))), tables_(std::in_place, directory, key) {}
Cache::Cache() = default;
Cache::~Cache() = default;

// The lock is held while SQLite works and no longer: all workers share it.
std::optional<DirectoryRecord> Cache::find_directory(const crypto::Digest& path_key) {
  if (!database_) return std::nullopt;
  ByteBuffer stored;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto kept = kept_.find(path_key); kept != kept_.end()) return kept->second;
    database_->guarded([&] {
      database_->begin(Database::Transaction::read);
      auto* statement = database_->find_directory.get();
      sqlite3_reset(statement);
      bind_blob(statement, 1, path_key);
      const int code = sqlite3_step(statement);
      require(code);
      if (code == SQLITE_ROW) append(stored, column(statement, 0));
      sqlite3_reset(statement);
    });
  }
  if (stored.size() < kChecksumSize) return std::nullopt;
  const auto content = ByteView(stored).subspan(kChecksumSize);
  crypto::Digest digest;
  const auto sum = database_->checksum(path_key, content, digest);
  if (!crypto::equal_in_constant_time(sum, ByteView(stored).first(kChecksumSize))) return std::nullopt;
  return decode(content);
}

void Cache::put_directory(const crypto::Digest& path_key, const DirectoryRecord& record) {
  if (!database_) return;
  if (most_kept_ == 0) {
    const auto stored = database_->checksummed(path_key, record);
    const std::scoped_lock lock(mutex_);
    write_directory(path_key, stored);
    return;
  }
  const std::scoped_lock lock(mutex_);
  kept_.insert_or_assign(path_key, record);
  if (kept_.size() >= most_kept_) write_kept();
}

void Cache::keep_back(std::size_t most) { most_kept_ = most; }

void Cache::write_back() {
  if (!database_) return;
  const std::scoped_lock lock(mutex_);
  write_kept();
}

void Cache::write_kept() {
  for (const auto& [path_key, record] : kept_) write_directory(path_key, database_->checksummed(path_key, record));
  kept_.clear();
  database_->guarded([&] { database_->commit(); });
}

void Cache::write_directory(const crypto::Digest& path_key, ByteView stored) {
  database_->guarded([&] {
    database_->begin(Database::Transaction::write);
    auto* statement = database_->put_directory.get();
    sqlite3_reset(statement);
    bind_blob(statement, 1, path_key);
    bind_blob(statement, 2, stored);
    require(sqlite3_step(statement));
    sqlite3_reset(statement);
  });
}

std::optional<ByteBuffer> Cache::find_page(const ChunkId& id) {
  std::optional<ByteBuffer> page;
  if (!database_) return page;
  const std::scoped_lock lock(mutex_);
  database_->guarded([&] {
    database_->begin(Database::Transaction::read);
    auto* statement = database_->find_page.get();
    sqlite3_reset(statement);
    bind_blob(statement, 1, id.view());
    const int code = sqlite3_step(statement);
    require(code);
    if (code == SQLITE_ROW) {
      const auto stored = column(statement, 0);
      constexpr std::size_t kAround = sizeof(crypto::Nonce) + sizeof(crypto::Tag);
      if (stored.size() >= kAround) {
        crypto::Nonce nonce;
        crypto::Tag tag;
        std::memcpy(nonce.data(), stored.data(), nonce.size());
        std::memcpy(tag.data(), stored.data() + nonce.size(), tag.size());
        ByteBuffer plain(stored.size() - kAround);
        if (database_->pages.open(nonce, id.view(), stored.subspan(kAround), tag, plain)) page = std::move(plain);
      }
    }
    sqlite3_reset(statement);
  });
  return page;
}

void Cache::put_page(const ChunkId& id, ByteView bytes) {
  if (!database_) return;
  const std::scoped_lock lock(mutex_);
  database_->guarded([&] {
    database_->begin(Database::Transaction::write);
    crypto::Nonce nonce;  // random: pages under one key stay far below the 2^32 that makes a repeat likely
    fill_random(nonce);
    ByteBuffer sealed(bytes.begin(), bytes.end());
    const auto tag = database_->pages.seal_in_place(nonce, id.view(), sealed);
    ByteBuffer stored(nonce.begin(), nonce.end());
    append(stored, tag);
    append(stored, sealed);
    auto* statement = database_->put_page.get();
    sqlite3_reset(statement);
    bind_blob(statement, 1, id.view());
    bind_blob(statement, 2, stored);
    require(sqlite3_step(statement));
    sqlite3_reset(statement);
  });
}

void Cache::end_reads() {
  if (!database_) return;
  const std::scoped_lock lock(mutex_);
  database_->guarded([&] {
    if (database_->transaction == Database::Transaction::read) database_->commit();
  });
}

void Cache::commit() {
  if (!database_) return;
  const std::scoped_lock lock(mutex_);
  database_->guarded([&] { database_->commit(); });
}

}  // namespace mbu::cache
