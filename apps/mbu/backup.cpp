// `backup`, and what -o shares with it.
#include "backup.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "escape.hpp"
#include "files_from.hpp"
#include "flags.hpp"
#include "session.hpp"
#include "streams.hpp"
#include "units.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

std::vector<std::string> all_paths(const Context& context) {
  const BackupFlags& flags = context.arguments.backup;
  std::vector<std::string> paths = context.arguments.operands;
  const auto read = [&](const std::vector<std::string>& files, ListStyle style) {
    for (const auto& file : files) {
      const auto listed = read_path_list(file, style, [&](const std::string& text) { context.view.warning(text); });
      paths.insert(paths.end(), listed.begin(), listed.end());
    }
  };
  read(flags.files_from, ListStyle::patterns);
  read(flags.files_from_verbatim, ListStyle::verbatim);
  read(flags.files_from_raw, ListStyle::raw);
  return paths;
}

// Nothing when paths are packaged.
std::function<std::size_t(MutableBytes)> stream_of(const Context& context) {
  const BackupFlags& flags = context.arguments.backup;
  if (flags.from_command) {
    auto command = std::make_shared<CommandStream>(context.arguments.operands, context.interrupt);
    return [command](MutableBytes to) { return command->read(to); };
  }
  if (!flags.from_stdin) return nullptr;
  return [&interrupt = context.interrupt](MutableBytes to) { return read_standard_input(to, interrupt); };
}

void check_usage(const Arguments& arguments) {
  const BackupFlags& flags = arguments.backup;
  const bool lists = !flags.files_from.empty() || !flags.files_from_verbatim.empty() || !flags.files_from_raw.empty();
  if (flags.from_stdin && flags.from_command) {
    throw Error(Code::usage, "--stdin and --stdin-from-command exclude each other");
  }
  if (flags.from_command && (arguments.operands.empty() || lists)) {
    throw Error(Code::usage, "--stdin-from-command wants a command and no paths: --stdin-from-command -- COMMAND...");
  }
  if (flags.from_stdin && (!arguments.operands.empty() || lists)) throw Error(Code::usage, "--stdin takes no paths");
  if (!flags.from_stdin && !flags.from_command && arguments.operands.empty() && !lists) {
    throw Error(Code::usage, "nothing to package", {}, "usage: mbu backup PATH...");
  }
  if ((flags.from_stdin || flags.from_command) &&
      (flags.stdin_filename.empty() || last_name(flags.stdin_filename).empty())) {
    throw Error(Code::usage, "--stdin-filename wants the name of a file, not '" + flags.stdin_filename + "'");
  }
}

}  // namespace

void define_selection(Flags& flags, Selection& selection) {
  flags.heading("What is left out");
  flags.texts("-e,--exclude", "PATTERN", selection.excludes, "leave out what fits; may be repeated");
  flags.texts("--iexclude", "PATTERN", selection.iexcludes, "the same, ignoring case");
  flags.texts("--exclude-file", "FILE", selection.exclude_files, "leave out what fits a pattern in this file");
  flags.texts("--exclude-if-present", "NAME", selection.exclude_if_present,
              "leave out directories that hold this file; NAME:HEADER wants it to begin so");
  flags.flag("--exclude-caches", selection.exclude_caches, "leave out directories with a CACHEDIR.TAG");
  flags.parsed("--exclude-larger-than", "SIZE", "leave out larger files; suffixes k, M, G, T",
               [&selection](const std::string& given) {
                 selection.exclude_larger_than = parse_size("--exclude-larger-than", given);
               });
  flags.flag("--gitignore", selection.gitignore, "leave out what .gitignore files say");
  flags.flag("-x,--one-file-system", selection.one_file_system, "do not enter other file systems");
}

void define_labels(Flags& flags, BackupFlags& backup) {
  flags.heading("The snapshot");
  flags.lists("--tag", "TAG,...", backup.tags, "mark the snapshot; may be repeated");
  flags.text("--host", "HOST", backup.options.host, "the host's name in the snapshot");
}

std::vector<std::string> existing_paths(const std::vector<std::string>& given, View& view) {
  std::vector<std::string> paths;
  for (const auto& path : given) {
    struct stat status {};
    if (path.empty()) throw Error(Code::usage, "an empty path names nothing");
    if (::lstat(path.c_str(), &status) == 0) {
      paths.push_back(absolute_path(path));
      continue;
    }
    const std::string reason = why_not_there(errno);
    if (given.size() == 1) throw Error(Code::not_found, reason, path);
    view.problem({Problem::Kind::unreadable, path, reason});
  }
  if (paths.empty()) throw Error(Code::not_found, "none of the paths is there");
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::vector<std::string> all_tags(const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::string> tags;
  for (const auto& list : lists) {
    for (const auto& tag : list) {
      if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    }
  }
  return tags;
}

std::string existing_target(const std::string& flag, const std::string& given) {
  struct stat status {};
  if (given.empty()) throw Error(Code::usage, flag + " wants a directory, not an empty name");
  if (::stat(given.c_str(), &status) != 0) throw Error(Code::not_found, why_not_there(errno), given);
  return std::filesystem::canonical(given).string();
}

void define_backup(Flags& flags, Arguments& arguments) {
  BackupFlags& backup = arguments.backup;
  flags.heading("What is packaged");
  flags.texts("--files-from", "FILE", backup.files_from, "package the paths that fit the patterns in FILE, one a line");
  flags.texts("--files-from-verbatim", "FILE", backup.files_from_verbatim, "package the paths in FILE, one a line");
  flags.texts("--files-from-raw", "FILE", backup.files_from_raw, "package the paths in FILE, each ended by a zero byte");
  flags.flag("--stdin", backup.from_stdin, "package standard input");
  flags.flag("--stdin-from-command", backup.from_command, "package what a command prints: -- COMMAND...");
  flags.text("--stdin-filename", "NAME", backup.stdin_filename, "what such a stream is called; default: stdin");
  define_selection(flags, backup.options.selection);
  define_labels(flags, backup);
  flags.parsed("--time", "TIME", "the snapshot's time: \"YYYY-MM-DD HH:MM:SS\", RFC 3339, or \"now\"",
               [&backup](const std::string& given) { backup.options.time_ns = parse_time("--time", given); });
  flags.flag("-n,--dry-run", backup.options.dry_run, "store nothing");
  flags.flag("--force", backup.options.force, "read every file again");
  flags.flag("--skip-if-unchanged", backup.options.skip_if_unchanged, "save no snapshot when nothing has changed");
}

void run_backup(Context& context) {
  check_usage(context.arguments);
  Session session(context);
  context.view.begin(Activity::backup);  // a path that is missing is the backup's problem already
  BackupOptions options = context.arguments.backup.options;
  options.tags = all_tags(context.arguments.backup.tags);
  const bool paths = !context.arguments.backup.from_stdin && !context.arguments.backup.from_command;
  if (paths) options.paths = existing_paths(all_paths(context), context.view);
  for (const auto& path : options.paths) refuse_own_places(path, session.own_places());
  Repository repository = options.dry_run ? session.open() : session.open_or_make();
  if (!paths) {
    options.stream = stream_of(context);
    options.stream_name = context.arguments.backup.stdin_filename;
  }
  package(context, session, repository, std::move(options), {});
}

void complete(BackupOptions& options, Context& context, Session& session) {
  auto& excludes = options.selection.excludes;
  const auto& configured = session.configuration().excludes;
  excludes.insert(excludes.begin(), configured.begin(), configured.end());
  for (const auto& place : session.own_places()) options.own_directories.push_back(place.path);
  if (!session.configuration().push.empty()) {  // a copy at home is better than none, but nobody should believe in a second
    context.view.warning(session.configuration().source + ": pigeon.push is not in this version: nothing is copied anywhere");
  }
}

void package(Context& context, Session& session, Repository& repository, BackupOptions options,
             const std::string& restore_arguments) {
  complete(options, context, session);
  context.view.begin(Activity::backup);
  BackupReport report{repository.backup(options),
                      repository.location(),
                      own_places_below(options.paths, session.own_places()),
                      {},
                      session.command_prefix() + "check --read-data",
                      options.dry_run};
  if (report.summary.snapshot) {
    const std::string id = report.summary.snapshot->hex().substr(0, 8);
    report.restore_command = session.command_prefix() + (restore_arguments.empty() ? "restore " + id : restore_arguments);
  }
  context.view.backup_done(report);
}

}  // namespace mbu::cli
