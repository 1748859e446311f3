// `restore`, and what -d shares with it.
#include "restore.hpp"

#include <utility>

#include "commands.hpp"
#include "escape.hpp"
#include "flags.hpp"
#include "session.hpp"
#include "snapshot_path.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

// The command that restores the same again, but for what --overwrite and --delete say: those are what a hint adds.
std::string restore_words(const std::string& operand, const RestoreOptions& options) {
  std::string words = "restore " + shell_word(operand) + " --target " + shell_word(options.target);
  for (const auto& pattern : options.includes) words += " " + shell_word("--include=" + pattern);
  for (const auto& pattern : options.excludes) words += " " + shell_word("--exclude=" + pattern);
  if (!options.restore_owner) words += " --no-owner";
  if (options.verify) words += " --verify";
  if (options.sync) words += " --sync";
  return words;
}

}  // namespace

void define_overwrite(Flags& flags, RestoreOptions& options) {
  using Overwrite = RestoreOptions::Overwrite;
  flags.choice<Overwrite>("--overwrite",
                          {{"never", Overwrite::never},
                           {"if-changed", Overwrite::if_changed},
                           {"if-newer", Overwrite::if_newer},
                           {"always", Overwrite::always}},
                          options.overwrite,
                          "which existing files a restore replaces; default: if-newer, those the snapshot has newer");
  flags.flag("--delete", options.delete_extra, "delete from restored directories what the snapshot lacks");
}

void define_restore(Flags& flags, Arguments& arguments) {
  RestoreOptions& options = arguments.restore.options;
  flags.text("--target", "DIR", options.target, "where to; default: the configured restore directory");
  flags.texts("-i,--include", "PATTERN", options.includes, "restore only what fits; may be repeated");
  flags.texts("-e,--exclude", "PATTERN", options.excludes, "leave out what fits; may be repeated");
  define_overwrite(flags, options);
  flags.flag("--verify", options.verify, "read back and compare what was written");
  flags.parsed_flag("--no-owner", "leave owners as they come", [&options] { options.restore_owner = false; });
  flags.flag("--sync", options.sync, "end with everything on the disk");
  flags.flag("-n,--dry-run", options.dry_run, "write nothing");
  define_filter(flags, options.filter);
}

void run_restore(Context& context) {
  Session session(context);
  context.view.begin(Activity::restore);  // a damaged snapshot is the restore's problem already
  RestoreOptions options = context.arguments.restore.options;
  const std::string& operand = context.arguments.operands.front();
  const SnapshotPath from = parse_snapshot_path(operand);
  options.snapshot = from.snapshot;
  options.subpath = from.path == "/" ? "" : from.path;
  options.target = absolute_path(options.target.empty() ? session.restore_directory() : options.target);
  Repository repository = session.open();
  const SnapshotInfo snapshot = repository.resolve(from.snapshot, options.filter);
  // `latest` may be another one next time: the id stays.
  const std::string part = operand.substr(from.snapshot.size());
  unpackage(context, session, repository, snapshot, options, restore_words(snapshot.name.hex() + part, options));
}

void unpackage(Context& context, Session& session, Repository& repository, const SnapshotInfo& snapshot, RestoreOptions options,
               const std::string& again) {
  if (is_within(real_path(options.target), real_path(session.location()))) {
    throw Error(Code::usage, "lies in the repository: nothing is restored there", options.target);
  }
  options.snapshot = snapshot.name.hex();
  options.filter = {};
  for (const auto& place : session.own_places()) options.own_directories.push_back(place.path);
  context.view.begin(Activity::restore);
  context.view.restore_begins(snapshot, options.subpath, options.target);
  RestoreReport report{repository.restore(options), session.command_prefix() + again,
                       session.command_prefix() + "check --read-data", options.dry_run, options.delete_extra};
  context.view.restore_done(report);
}

}  // namespace mbu::cli
