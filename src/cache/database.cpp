#include "cache/database.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "base/clock.hpp"
#include "os/file.hpp"

namespace mbu::cache {
namespace {

constexpr int kSchemaVersion = 4;
constexpr int kBusyMilliseconds = 2000;
constexpr int kWritesATransaction = 512;  // others may write in between
constexpr int kReadsATransaction = 256;
constexpr std::int64_t kPauseNs = 5'000'000'000;
constexpr std::int64_t kSecondsADay = 86'400;

}  // namespace

Database::Database(std::string directory, std::function<void(const std::string&)> warn)
    : directory_(std::move(directory)), warn_(std::move(warn)) {
  open();
}

bool Database::works() {
  if (busy_until_ns_ != 0 && system_clock().monotonic_ns() < busy_until_ns_) return false;
  if (std::exchange(busy_at_opening_, false)) open();
  return handle_ != nullptr && !busy_at_opening_;
}

void Database::begin(Transaction wanted) {
  const int most = transaction_ == Transaction::write ? kWritesATransaction : kReadsATransaction;
  if (++uses_ >= most || (wanted == Transaction::write && transaction_ == Transaction::read)) commit();
  if (transaction_ != Transaction::none) return;
  execute(wanted == Transaction::write ? "BEGIN IMMEDIATE" : "BEGIN");
  transaction_ = wanted;
  uses_ = 0;
}

void Database::commit() {
  if (std::exchange(transaction_, Transaction::none) != Transaction::none) execute("COMMIT");
}

Database::Statement Database::statement(const char* sql) {
  auto& prepared = statements_[sql];
  if (!prepared) {
    sqlite3_stmt* made = nullptr;
    require(sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr));
    prepared.reset(made);
  }
  return Statement(prepared.get());
}

Database::Statement& Database::Statement::bind(int column, ByteView bytes) {
  require(sqlite3_bind_blob64(statement_, column, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

Database::Statement& Database::Statement::bind(int column, std::int64_t number) {
  require(sqlite3_bind_int64(statement_, column, number));
  return *this;
}

bool Database::Statement::step() {
  const int code = sqlite3_step(statement_);
  require(code);
  return code == SQLITE_ROW;
}

ByteView Database::Statement::bytes(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Database::today() { return system_clock().wall().seconds / kSecondsADay; }

void Database::note_use(std::int64_t first, std::int64_t last) {
  begin(Transaction::read);
  {
    auto noted = statement("SELECT day FROM uses WHERE first=?");
    if (noted.bind(1, first).step() && today() - noted.number(0) < kNotedDays) return end_reads();
  }
  begin(Transaction::write);
  statement("INSERT OR REPLACE INTO uses VALUES(?,?,?)").bind(1, first).bind(2, last).bind(3, today()).step();
  purge();
  commit();
}

void Database::purge() {
  const auto oldest = today() - kKeptDays;
  {
    auto unused = statement("SELECT first, last FROM uses WHERE day<?");
    unused.bind(1, oldest);
    while (unused.step()) statement("DELETE FROM pages WHERE key BETWEEN ? AND ?").bind(1, unused.number(0)).bind(2, unused.number(1)).step();
  }
  statement("DELETE FROM uses WHERE day<?").bind(1, oldest).step();
  statement("DELETE FROM directories WHERE day<?").bind(1, oldest).step();
}

void Database::tell(const std::string& text) {
  if (!std::exchange(told_, true)) warn_(text);
}

void Database::try_open() {
  os::make_directories(directory_, 0700, {Code::failed, directory_});
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(file().c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(raw);
  require(code);
  ::chmod(file().c_str(), 0600);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // Losing the cache in a crash costs a slower run, so nothing is synced. Nothing is mapped, so that a file which somebody
  // cuts short is an error code and not a signal; write-ahead logging would map its -shm file.
  execute("PRAGMA mmap_size=0; PRAGMA synchronous=OFF; PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=-8192");
  const auto found = [&] {
    auto version = statement("PRAGMA user_version");
    version.step();
    return version.number(0);
  }();
  if (found == kSchemaVersion) return;
  if (found > kSchemaVersion) throw Broken{SQLITE_SCHEMA};
  // Written by the first to come alone: who only reads must not wait for a writer.
  execute(
      "BEGIN IMMEDIATE;"
      "DROP TABLE IF EXISTS directories;"
      "DROP TABLE IF EXISTS pages;"
      "DROP TABLE IF EXISTS uses;"
      "CREATE TABLE directories(key BLOB PRIMARY KEY, day INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;"
      // Keys are random and pages large: in the order of their coming, so that a hundred new ones are written behind the last, and not
      // into a hundred places, each of which goes to the journal first.
      "CREATE TABLE pages(number INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, sealed BLOB NOT NULL);"
      "CREATE TABLE uses(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, day INTEGER NOT NULL);"
      "PRAGMA user_version=4;"
      "COMMIT");
}

void Database::close() {
  statements_.clear();
  handle_.reset();
  transaction_ = Transaction::none;
}

void Database::open() {
  opening_ = true;
  try {
    try_open();
  } catch (const Broken& broken) {
    recover(broken.code);
  } catch (const Error& error) {
    close();
    tell("the cache cannot be used: " + std::string(error.what()));
  }
  opening_ = false;
}

// Someone else is writing: do without for a while. It cannot be written: do without. Anything else: begin anew, once; then do without.
void Database::recover(int code) {
  const int kind = code & 0xff;
  if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) {
    transaction_ = Transaction::none;
    if (handle_ && sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    busy_until_ns_ = system_clock().monotonic_ns() + kPauseNs;
    busy_at_opening_ = std::exchange(opening_, false);
    if (busy_at_opening_) close();  // not made yet, perhaps
    return;
  }
  close();
  const bool unusable = kind == SQLITE_READONLY || kind == SQLITE_PERM || kind == SQLITE_FULL;
  if (unusable || kind == SQLITE_CANTOPEN || kind == SQLITE_NOMEM) {
    tell(std::string(unusable ? "the cache cannot be written: " : "the cache cannot be used: ") + sqlite3_errstr(code));
    return;
  }
  if (rebuilt_) return;
  rebuilt_ = true;
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove_all(file() + suffix, ignored);
  tell("the cache was damaged and is rebuilt");
  open();
}

}  // namespace mbu::cache
