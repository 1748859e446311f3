// For people: results to standard output, everything else to standard error.
#pragma once

#include "arguments.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "view.hpp"

namespace mbu::cli {

class TextView final : public View {
 public:
  TextView(Output& output, const GlobalFlags& flags);

  void begin(Activity activity) override;
  void made(const InitResult& result) override;
  void backup_done(const BackupReport& report) override;
  void watching(const WatchReport& report) override;
  void change(std::uint64_t directories) override;
  void watched(const BackupSummary& summary) override;
  void watch_state() override;
  void watchers(const std::vector<WatcherStatus>& all) override;
  void restore_begins(const SnapshotInfo& snapshot, const std::string& path, const std::string& target) override;
  void restore_done(const RestoreReport& report) override;
  void snapshots(const std::vector<SnapshotInfo>& list) override;
  void listing_begins(const SnapshotInfo& snapshot) override;
  void entry(const EntryInfo& entry, bool long_form) override;
  void diff_begins(const SnapshotInfo& from, const SnapshotInfo& to) override;
  void difference(const DiffLine& line) override;
  void diff_done(const SnapshotInfo& from, const SnapshotInfo& to, const DiffSummary& summary) override;
  void forgotten(const ForgetPlan& plan, bool dry_run) override;
  void credentials(const std::vector<CredentialInfo>& all) override;
  void credential(const CredentialReport& report) override;
  void rotated(const Rotation& rotation) override;
  void session_unlocked(std::int64_t seconds, const std::string& lock) override;
  void session_locked(bool was_unlocked) override;
  void checked(const CheckOutcome& outcome) override;
  void version(const std::string& version) override;
  void incomplete(int) override {}
  void failed(const Error& error, int status) override;

  void warning(const std::string& text) override;
  void note(const std::string& text) override;

 private:
  void show_progress(const Progress& progress) override;
  void show_problem(const Problem& problem) override;
  void show_watcher(const WatcherStatus& watcher);
  // A line to standard error, the progress bar out of its way.
  void say(const std::string& text);
  // A line of a result that -q leaves out.
  void tell(const std::string& text);

  Output& output_;
  bool quiet_;
  bool verbose_;
  ProgressBar bar_;
  WatchReport watch_;
  std::string last_watched_;  // what was said of the last snapshot
  std::uint64_t watched_ = 0;
  std::uint64_t kept_ = 0;  // existing files that a restore left alone
};

}  // namespace mbu::cli
