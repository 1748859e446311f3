// What a run shows: one implementation for people (text_view.hpp), one for programs (json_view.hpp). Results are shown from
// the main thread; the events of EventSink come from any thread, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mbu/types/credentials.hpp"
#include "mbu/types/error.hpp"
#include "mbu/types/events.hpp"
#include "mbu/types/results.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

enum class Activity { none, backup, restore, check };

struct BackupReport {
  BackupSummary summary;
  std::string location;         // of the repository
  std::vector<std::string> left_out;  // mbu's own places below what was packaged
  std::string restore_command;  // for a shell; empty without a snapshot
  std::string check;            // the command that tells more of damage
  bool dry_run = false;
};

struct RestoreReport {
  RestoreSummary summary;
  std::string again;            // the command for a shell, without --overwrite and --delete
  std::string check;            // the command that tells more of damage
  bool dry_run = false;
  bool deleting = false;
};

struct CheckOutcome {
  CheckReport report;
  std::string arriving;         // the command for what may still be on its way; empty: was given
  int status = 0;
};

struct WatchReport {
  std::vector<std::string> paths;
  std::string feed;             // "fanotify", "inotify" or "poll"
  std::string location;         // of the repository
  bool takes_lines = false;     // a person may type s, -d and q
  bool keeps_owner = false;     // the owner's keys stay in memory
};

struct CredentialReport {
  enum class Change { added, changed, removed, admitted };
  Change change = Change::added;
  CredentialInfo info;
  std::string file = {};        // of an admitted writer: its credential
  std::string use = {};         // and the command that uses it, for a shell
};

class View : public EventSink {
 public:
  // Progress from here on is that of this activity, until the next.
  virtual void begin(Activity activity) = 0;

  virtual void made(const InitResult& result) = 0;
  virtual void backup_done(const BackupReport& report) = 0;
  virtual void watching(const WatchReport& report) = 0;
  // About so many directories are looked at.
  virtual void change(std::uint64_t directories) = 0;
  virtual void watched(const BackupSummary& summary) = 0;
  // What a person asks for.
  virtual void watch_state() = 0;
  virtual void watchers(const std::vector<WatcherStatus>& all) = 0;
  virtual void restore_begins(const SnapshotInfo& snapshot, const std::string& path, const std::string& target) = 0;
  virtual void restore_done(const RestoreReport& report) = 0;
  virtual void snapshots(const std::vector<SnapshotInfo>& list) = 0;
  virtual void listing_begins(const SnapshotInfo& snapshot) = 0;
  virtual void entry(const EntryInfo& entry, bool long_form) = 0;
  virtual void diff_begins(const SnapshotInfo& from, const SnapshotInfo& to) = 0;
  virtual void difference(const DiffLine& line) = 0;
  virtual void diff_done(const SnapshotInfo& from, const SnapshotInfo& to, const DiffSummary& summary) = 0;
  virtual void forgotten(const ForgetPlan& plan, bool dry_run) = 0;
  virtual void credentials(const std::vector<CredentialInfo>& all) = 0;
  virtual void credential(const CredentialReport& report) = 0;
  virtual void rotated(const Rotation& rotation) = 0;
  // 0: the desktop keeps the password. `lock`: the command that ends it.
  virtual void session_unlocked(std::int64_t seconds, const std::string& lock) = 0;
  virtual void session_locked(bool was_unlocked) = 0;
  virtual void checked(const CheckOutcome& outcome) = 0;
  virtual void version(const std::string& version) = 0;
  // The last word of a run that did what it could, and whose exit status says that this was not all; people have read why.
  virtual void incomplete(int status) = 0;
  // The last word of a run that ends with an error.
  virtual void failed(const Error& error, int status) = 0;

  void progress(const Progress& progress) final {
    if (alive_) alive_();
    show_progress(progress);
  }

  // Called with all progress: what makes some is alive. Any thread, one at a time.
  void on_progress(std::function<void()> alive) { alive_ = std::move(alive); }

  void problem(const Problem& problem) final {
    ++problems_;
    if (problem.kind == Problem::Kind::damaged) ++damages_;
    show_problem(problem);
  }

  // What the problems so far make of the exit status: 0, 3 or 20.
  [[nodiscard]] int status() const noexcept {
    if (damages_ > 0) return exit_status(Code::corrupt);
    return problems_ > 0 ? exit_status(Code::source) : 0;
  }
  [[nodiscard]] std::uint64_t problems() const noexcept { return problems_; }
  // Of these, damage of the repository.
  [[nodiscard]] std::uint64_t damages() const noexcept { return damages_; }

 protected:
  virtual void show_progress(const Progress& progress) = 0;
  virtual void show_problem(const Problem& problem) = 0;

 private:
  std::uint64_t problems_ = 0;
  std::uint64_t damages_ = 0;
  std::function<void()> alive_;
};

}  // namespace mbu::cli
