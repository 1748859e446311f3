#include "ops/restore/run.hpp"

#include <algorithm>
#include <cerrno>

namespace mbu::ops {

bool is_temporary_name(std::string_view name) noexcept {
  constexpr std::size_t kDigits = 16;
  return name.size() == kTemporaryPrefix.size() + kDigits && name.starts_with(kTemporaryPrefix) &&
         name.find_first_not_of("0123456789abcdef", kTemporaryPrefix.size()) == std::string_view::npos;
}

void Run::kept(const std::string& place, const std::string& message) {
  ++counters_.problems;
  context_.events.problem({Problem::Kind::kept, directories_.display(place), message});
}

void Run::not_restored(const std::string& place, const std::string& message) {
  ++counters_.problems;
  context_.events.problem({Problem::Kind::not_restored, directories_.display(place), message});
}

void Run::damaged(const std::string& path, const Error& error) {
  ++counters_.problems;
  counters_.damaged = true;
  context_.events.problem({Problem::Kind::damaged, path, damage_message(path, error)});
}

void Run::failed_at(const std::string& place, const Error& error) {
  if (error.system_errno() == ENOSPC || error.system_errno() == EDQUOT) throw error.as(Code::failed);
  if (error.code() != Code::source) throw error;
  not_restored(place, error.happened());
}

void Run::done(const format::Entry& entry, const std::string& path) {
  const auto files = ++counters_.files_done;
  const auto bytes = counters_.bytes_done += entry.is_regular() ? entry.size : 0;
  if (!context_.events.progress_due()) return;
  Progress progress{files, bytes, counters_.files_total, counters_.bytes_total, totals_.has_value(), path,
                    counters_.files_restored, counters_.bytes_restored, counters_.files_unchanged, counters_.bytes_unchanged};
  if (totals_) {
    progress.files_total = std::max(totals_->files, files);
    progress.bytes_total = std::max(totals_->bytes, bytes);
  }
  context_.events.progress(progress);
}

std::string damage_message(const std::string& path, const Error& error) {
  if (error.subject().empty() || error.subject() == path) return error.happened();
  return error.subject() + ' ' + error.happened();
}

bool may_replace(RestoreOptions::Overwrite overwrite, const format::Entry& entry, const os::FileStatus& there) {
  // What a killed restore left half-written is nobody's.
  if (there.type == EntryType::regular && there.mode == kUnfinishedMode && entry.mode != kUnfinishedMode) return true;
  switch (overwrite) {
    case RestoreOptions::Overwrite::never: return false;
    case RestoreOptions::Overwrite::if_newer: return entry.mtime > there.mtime;
    case RestoreOptions::Overwrite::if_changed:
    case RestoreOptions::Overwrite::always: return true;
  }
  return false;
}

std::string why_kept(RestoreOptions::Overwrite overwrite) {
  return overwrite == RestoreOptions::Overwrite::if_newer ? "differs and is not older than the snapshot's: left as it is"
                                                          : "differs: left as it is";
}

}  // namespace mbu::ops
