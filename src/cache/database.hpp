// Database: the SQLite file of a cache, private to cache/. It may be deleted, cut or filled with garbage at any time: it is made anew then,
// once, and after that done without. While another process keeps it busy it is done without for a moment.
//
// The mutex is held around everything: all workers share one connection.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.hpp"

namespace mbu::cache {

class Database {
 public:
  // `directory`: where it lies; made when missing. Text for the user comes through `warn`, at most once.
  Database(std::string directory, std::function<void(const std::string&)> warn);

  // Runs `work` when there is a database. What SQLite refuses in it ends it.
  template <class Work>
  void guarded(Work work) {
    if (!works()) return;
    try {
      work();
    } catch (const Broken& broken) {
      recover(broken.code);
    }
  }
  // Whether it can be used now; one that was busy while it was opened is tried again.
  [[nodiscard]] bool works();

  enum class Transaction { none, read, write };
  // Before each read and each write: many share a transaction, since to begin one is to lock the file and to look whether it changed.
  void begin(Transaction wanted);
  void commit();
  void end_reads() {
    if (transaction_ == Transaction::read) commit();
  }

  // Of this text, a literal: prepared once, reset when it goes.
  class Statement {
   public:
    explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) { sqlite3_reset(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() { sqlite3_reset(statement_); }
    Statement& bind(int column, ByteView bytes);
    Statement& bind(int column, std::int64_t number);
    // False when there is no row any more.
    bool step();
    // Valid until the next step.
    [[nodiscard]] ByteView bytes(int column) const;
    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }

   private:
    sqlite3_stmt* statement_;
  };
  [[nodiscard]] Statement statement(const char* sql);

  // What nobody used for kKeptDays is deleted. Records carry the day of a use, as days since 1970, which is noted anew when it is kNotedDays old:
  // who only reads seldom writes.
  static constexpr std::int64_t kKeptDays = 90, kNotedDays = 30;
  [[nodiscard]] static std::int64_t today();
  // Within guarded(): that the pages with these keys are used today; and deletes what nobody uses any more, when that is news.
  void note_use(std::int64_t first, std::int64_t last);

  std::mutex mutex;

 private:
  // SQLite said no. Never leaves cache/.
  struct Broken {
    int code;
  };
  static void require(int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) throw Broken{code};
  }
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };

  void open();
  void try_open();
  void close();
  void recover(int code);
  void tell(const std::string& text);
  void purge();
  void execute(const char* sql) { require(sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr)); }
  [[nodiscard]] std::string file() const { return directory_ + "/cache.db"; }

  std::string directory_;
  std::function<void(const std::string&)> warn_;
  bool rebuilt_ = false;
  bool told_ = false;
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Close>> statements_;
  Transaction transaction_ = Transaction::none;
  int uses_ = 0;
  std::int64_t busy_until_ns_ = 0;  // on the monotonic clock
  bool opening_ = false;
  bool busy_at_opening_ = false;
};

}  // namespace mbu::cache
