// For programs: JSON on standard output with restic's names wherever restic has the thing, one object a line while a command
// runs, an array or one object a line for listings. `warning` and `exit_error` go to standard error, one object a line.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>

#include "arguments.hpp"
#include "output.hpp"
#include "view.hpp"

namespace mbu::cli {

class JsonView final : public View {
 public:
  JsonView(Output& output, const GlobalFlags& flags);

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
  void incomplete(int status) override;
  void failed(const Error& error, int status) override;

  void warning(const std::string& text) override;
  void note(const std::string& text) override;

 private:
  using Clock = std::chrono::steady_clock;

  void show_progress(const Progress& progress) override;
  void show_problem(const Problem& problem) override;
  void show_status();
  // The last status, with everything done that was done.
  void end_status(const Progress& end);
  void line(const nlohmann::ordered_json& object);

  Output& output_;
  bool show_progress_;
  Activity activity_ = Activity::none;
  Clock::time_point started_ = Clock::now();
  Clock::time_point shown_{};
  bool any_shown_ = false;
  Progress last_;
};

}  // namespace mbu::cli
