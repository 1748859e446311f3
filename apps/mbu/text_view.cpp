#include "text_view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "entries.hpp"
#include "escape.hpp"
#include "units.hpp"

namespace mbu::cli {
namespace {

constexpr std::size_t kShortId = 8;

std::string short_id(const ObjectName& name) { return name.hex().substr(0, kShortId); }

ProgressBar::Style progress_style(const GlobalFlags& flags) {
  if (flags.quiet || flags.no_progress) return ProgressBar::Style::none;
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return is_terminal(STDERR_FILENO) && !dumb ? ProgressBar::Style::bar : ProgressBar::Style::plain;
}

std::string directories(std::uint64_t count) { return fmt::format("{} director{}", format_count(count), count == 1 ? "y" : "ies"); }

std::string files_and_directories(std::uint64_t file_count, std::uint64_t directory_count) {
  return format_counted(file_count, "file") + ", " + directories(directory_count);
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + printable(name);
  return all;
}

}  // namespace

TextView::TextView(Output& output, const GlobalFlags& flags)
    : output_(output), quiet_(flags.quiet), verbose_(flags.verbose > 0), bar_(progress_style(flags)) {}

void TextView::say(const std::string& text) {
  bar_.erase();
  write_to_error(text + '\n');
}

void TextView::tell(const std::string& text) {
  if (quiet_) return;
  bar_.erase();
  output_.line(text);
  output_.flush();  // in its place among what goes to standard error
}

void TextView::begin(Activity) { bar_.restart(); }

void TextView::show_progress(const Progress& progress) { bar_.update(progress); }

void TextView::warning(const std::string& text) { say("mbu: " + printable(text)); }

void TextView::note(const std::string& text) {
  if (verbose_) say(printable(text));
}

void TextView::show_problem(const Problem& problem) {
  if (problem.kind == Problem::Kind::kept) ++kept_;
  say(fmt::format("mbu: {}: {}", printable(problem.path), printable(problem.message)));
}

void TextView::failed(const Error& error, int) {
  say("mbu: " + printable(error.what()));
  if (!error.next().empty()) say("     " + printable(error.next()));
}

void TextView::made(const InitResult& result) {
  tell(fmt::format("made repository {} in {}", result.id.hex().substr(0, kShortId), printable(result.location)));
  say("mbu: a lost password is lost data: nobody can open this repository without it");
}

void TextView::backup_done(const BackupReport& report) {
  const BackupSummary& s = report.summary;
  if (s.snapshot) {
    tell(fmt::format("snapshot {} saved", short_id(*s.snapshot)));
  } else {
    tell(report.dry_run ? "dry run: no snapshot is saved" : "nothing has changed: no snapshot is saved");
  }
  tell(fmt::format("seen:      {}, {}", files_and_directories(s.total_files, s.total_dirs), format_bytes(s.total_bytes)));
  tell("new:       " + files_and_directories(s.files_new, s.dirs_new));
  tell("changed:   " + files_and_directories(s.files_changed, s.dirs_changed));
  tell("unchanged: " + files_and_directories(s.files_unmodified, s.dirs_unmodified));
  tell(fmt::format("{:<11}{} ({} before compression; {} of files read)", report.dry_run ? "to store:" : "stored:",
                   format_bytes(s.data_added_packed), format_bytes(s.data_added), format_bytes(s.bytes_read)));
  if (!report.left_out.empty()) {
    tell("left out, as mbu's own: " + joined_names(report.left_out));
  }
  tell("time:      " + format_seconds(s.seconds));
  tell("packages:  " + printable(report.location));
  if (!report.restore_command.empty()) tell("restore:   " + report.restore_command);
  if (problems() > damages()) {
    say(fmt::format("mbu: {}: the snapshot is incomplete", format_counted(problems() - damages(), "problem")));
  }
  if (damages() > 0) {
    say("mbu: the repository is damaged; this snapshot does not lean on what is named above; to see what else is lost:");
    say("  " + report.check);
  }
}

void TextView::watching(const WatchReport& report) {
  watch_ = report;
  tell(fmt::format("watching {} by {}; packages: {}", joined_names(report.paths), report.feed, printable(report.location)));
  if (report.keeps_owner) tell("the owner's keys stay in memory (--keep-owner): whoever reads it can read the repository");
  if (report.takes_lines) tell("type s for the state, -d to restore, q to end");
}

void TextView::change(std::uint64_t) { bar_.restart(); }

void TextView::watched(const BackupSummary& s) {
  ++watched_;
  last_watched_ = fmt::format("{}  snapshot {}: {} new, {} changed of {}; {} stored in {}", format_local_time(std::time(nullptr)),
                              short_id(*s.snapshot), format_count(s.files_new), format_count(s.files_changed),
                              format_counted(s.total_files, "file"), format_bytes(s.data_added_packed), format_seconds(s.seconds));
  tell(last_watched_);
}

void TextView::watch_state() {
  tell(fmt::format("watching by {}; {} since the start, {} met", watch_.feed, format_counted(watched_, "snapshot"),
                   format_counted(problems(), "problem")));
  if (watched_ > 0) tell("last: " + last_watched_);
}

void TextView::watchers(const std::vector<WatcherStatus>& all) {
  if (all.empty()) output_.line("no watcher is running");
  for (const auto& watcher : all) show_watcher(watcher);
}

void TextView::show_watcher(const WatcherStatus& watcher) {
  const auto line = [this](const char* what, const std::string& text) { output_.line(fmt::format("  {:<11}{}", what, text)); };
  output_.line(fmt::format("{} by {}, since {} (process {})", joined_names(watcher.paths), watcher.feed, format_local_time(watcher.started_s),
                           watcher.process));
  line("packages:", printable(watcher.location));
  const bool waiting = watcher.pending_directories > 0;
  line("now:", activity_name(watcher.activity) + (waiting ? ", about " + directories(watcher.pending_directories) + " to package" : ""));
  if (!watcher.error.empty()) line("error:", printable(watcher.error));
  line("snapshots:", watcher.last_snapshot.empty()
                         ? "none yet"
                         : fmt::format("{} since the start, the last {} at {}", format_count(watcher.snapshots),
                                       watcher.last_snapshot.substr(0, kShortId), format_local_time(watcher.last_snapshot_s)));
  if (watcher.problems > 0) line("missing:", format_counted(watcher.problems, "file") + " of the last could not be read");
  if (watcher.compared_s > 0) {
    const std::string missed = watcher.missed == 0 ? "nothing missed" : "something missed " + format_counted(watcher.missed, "time");
    line("compared:", fmt::format("at {}, {}", format_local_time(watcher.compared_s), missed));
  }
  if (watcher.lost_events > 0) line("overflows:", format_counted(watcher.lost_events, "time") + ": all was compared instead");
  line("keys:", watcher.keeps_owner ? "the owner's" : "a writer's: what is packaged cannot be read with them");
}

void TextView::restore_begins(const SnapshotInfo& snapshot, const std::string& path, const std::string& target) {
  const std::string what = path.empty() ? std::string() : " of " + printable(path);
  tell(fmt::format("restoring snapshot {}{} from {} to {}", short_id(snapshot.name), what,
                   format_local_time(snapshot.time_s), printable(target)));
}

void TextView::restore_done(const RestoreReport& report) {
  const RestoreSummary& s = report.summary;
  tell(fmt::format("{} {} of {}, {} of {}, in {}", report.dry_run ? "would restore" : "restored",
                   format_count(s.files_restored), format_counted(s.files_total, "file"), format_bytes(s.bytes_restored),
                   format_bytes(s.bytes_total), format_seconds(s.seconds)));
  if (s.files_unchanged > 0) tell(format_counted(s.files_unchanged, "file") + " there already with the same content");
  if (s.files_deleted > 0) {
    tell(fmt::format("{} {}", report.dry_run ? "would delete" : "deleted", format_counted(s.files_deleted, "file")));
  }
  if (s.files_extra > 0 && !report.deleting) {
    tell(fmt::format("{} in {} but not in the snapshot; to delete what is not in it:", format_counted(s.files_extra, "file"),
                     printable(s.target)));
    tell("  " + report.again + " --delete");
  }
  if (kept_ > 0) {
    say(fmt::format("mbu: {} left as {}; to replace {} by the snapshot's:", format_counted(kept_, "existing file"),
                    kept_ == 1 ? "it was" : "they were", kept_ == 1 ? "it" : "them"));
    say("  " + report.again + " --overwrite always");
  }
  if (s.damaged) {
    say("mbu: the repository is damaged: what is named above could not be restored; to see what else is lost:");
    say("  " + report.check);
  } else if (problems() > kept_) {
    say(fmt::format("mbu: {}: the restore is incomplete", format_counted(problems() - kept_, "problem")));
  }
}

void TextView::checked(const CheckOutcome& outcome) {
  const CheckReport& report = outcome.report;
  for (const auto& finding : report.damage) say(fmt::format("mbu: {}: {}", printable(finding.object), printable(finding.message)));
  for (const auto& note : report.notes) tell("note: " + printable(note));
  tell(fmt::format("checked {}, {}; read {}, {}; {}", format_counted(report.objects, "object"),
                   format_counted(report.snapshots, "snapshot"), format_counted(report.packs_read, "pack"),
                   format_bytes(report.bytes_read), format_seconds(report.seconds)));
  if (outcome.status == 0) {
    tell("no errors were found");
  } else {
    say(fmt::format("mbu: {} found", format_counted(report.damage.size(), "error")));
    const bool on_its_way = std::ranges::any_of(report.damage, [](const auto& finding) { return finding.never_seen; });
    if (on_its_way && !outcome.arriving.empty()) {
      say("     what was never seen on this machine may not have arrived yet: wait for it, and check again:");
      say("     " + outcome.arriving);
    }
  }
}

void TextView::version(const std::string& version) { output_.line("mbu " + version); }

}  // namespace mbu::cli
