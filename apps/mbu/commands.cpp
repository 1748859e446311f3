#include "commands.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "flags.hpp"

namespace mbu::cli {
namespace {

constexpr std::size_t kAny = SIZE_MAX;

constexpr std::array<Command, 16> kCommands{{
    {"init", "", 0, 0, "Make a repository", define_init, run_init},
    {"backup", "PATH...", 0, kAny, "Make a snapshot of the paths", define_backup, run_backup},
    {"watch", "PATH...", 1, kAny, "Make a snapshot of the paths now, and one after every change", define_watch, run_watch},
    {"status", "", 0, 0, "Show what your watchers on this machine do", define_nothing, run_status},
    {"restore", "SNAP[:PATH]", 1, 1, "Bring a snapshot back", define_restore, run_restore},
    {"snapshots", "[SNAP...]", 0, kAny, "List the snapshots", define_snapshots, run_snapshots},
    {"ls", "SNAP[:PATH]", 1, 1, "List what is in a snapshot", define_ls, run_ls},
    {"dump", "SNAP:PATH", 1, 1, "Write a file, or a directory as an archive, to standard output", define_dump, run_dump},
    {"diff", "SNAP SNAP", 2, 2, "Show what differs between two snapshots", define_diff, run_diff},
    {"forget", "[SNAP...]", 0, kAny, "Say which snapshots count no longer", define_forget, run_forget},
    {"key", "list|add|passwd|remove|rotate|new-writer|accept|unlock|lock|export-recovery|recover [ID]", 1, 2,
     "Manage passwords, credentials of writers, and the recovery sheet", define_key, run_key},
    {"check", "", 0, 0, "Look for damage in the repository", define_check, run_check},
    {"cat", "config|index|pack|snapshot|tree|slot|statement [ID]", 1, 2, "Show an object, decoded, as JSON", define_nothing, run_cat},
    {"version", "", 0, 0, "Show the version", define_nothing, run_version},
    {"completion", "bash|zsh|fish", 1, 1, "Write a completion script for a shell", define_nothing, run_completion},
    {"help", "[COMMAND]", 0, 1, "Show this help, or a command's", define_nothing, run_help},
}};

constexpr std::array<std::string_view, 11> kToCome{"prune",  "mount", "find",   "stats", "tag",
                                                   "repair", "copy",  "push", "pull",  "export", "import"};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command& command : kCommands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::string usage_of(const Command& command) {
  return std::string(command.name) + (*command.operands == '\0' ? "" : " ") + command.operands;
}

Error unknown_command(const std::string& name) {
  const std::string hint = "`mbu help` lists the commands";
  if (std::find(kToCome.begin(), kToCome.end(), name) == kToCome.end()) {
    return Error(Code::usage, "unknown command '" + name + "'", {}, hint);
  }
  return Error(Code::usage, "'" + name + "' is not in this version", {}, hint);
}

void define_nothing(Flags&, Arguments&) {}

void define_filter(Flags& flags, SnapshotFilter& filter) {
  flags.heading("Which snapshots");
  flags.texts("--host", "HOST", filter.hosts, "only those of this host; may be repeated");
  flags.lists("--tag", "TAG,...", filter.tags, "only those with all of these tags; repeated: or all of those");
  flags.texts("--writer", "NAME", filter.writers, "only those by this writer; may be repeated");
  flags.texts("--path", "PATH", filter.paths, "only those of this packaged path; may be repeated");
}

}  // namespace mbu::cli
