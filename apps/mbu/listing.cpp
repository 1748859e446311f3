// The commands that only look: snapshots, ls, dump, diff, cat.
#include <map>
#include <tuple>
#include <utility>

#include "commands.hpp"
#include "flags.hpp"
#include "output.hpp"
#include "session.hpp"
#include "snapshot_path.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

// The newest `count` of every host and set of paths, as restic counts them; the order stays.
std::vector<SnapshotInfo> newest_of_each(std::vector<SnapshotInfo> all, std::uint64_t count) {
  using Group = std::tuple<PublicKey, std::string, std::vector<std::string>>;
  const auto group_of = [](const SnapshotInfo& snapshot) { return Group(snapshot.writer, snapshot.host, snapshot.paths); };
  std::map<Group, std::uint64_t> left;
  for (const auto& snapshot : all) ++left[group_of(snapshot)];
  std::vector<SnapshotInfo> newest;
  for (auto& snapshot : all) {
    if (left[group_of(snapshot)]-- <= count) newest.push_back(std::move(snapshot));
  }
  return newest;
}

}  // namespace

void define_snapshots(Flags& flags, Arguments& arguments) {
  flags.number("--latest", arguments.list.latest, 1, 1'000'000, "only the newest N of each host and set of paths");
  define_filter(flags, arguments.list.filter);
}

void run_snapshots(Context& context) {
  Session session(context);
  Repository repository = session.open();
  const ListFlags& flags = context.arguments.list;
  std::vector<SnapshotInfo> list;
  if (context.arguments.operands.empty()) {
    list = repository.snapshots(flags.filter);
  } else {
    for (const auto& name : context.arguments.operands) list.push_back(repository.resolve(name, flags.filter));
  }
  if (flags.latest > 0) list = newest_of_each(std::move(list), flags.latest);
  context.view.snapshots(list);
}

void define_ls(Flags& flags, Arguments& arguments) {
  flags.flag("-l,--long", arguments.list.long_form, "show modes, owners, sizes and times");
  flags.flag("--recursive", arguments.list.recursive, "also what is in the directories below PATH");
  define_filter(flags, arguments.list.filter);
}

void run_ls(Context& context) {
  Session session(context);
  const SnapshotPath from = parse_snapshot_path(context.arguments.operands.front());
  const ListFlags& flags = context.arguments.list;
  Repository repository = session.open();
  const SnapshotInfo snapshot = repository.resolve(from.snapshot, flags.filter);
  context.view.listing_begins(snapshot);
  // As in restic: all there is, unless a directory is named.
  repository.list(snapshot, from.has_path ? from.path : "/", flags.recursive || !from.has_path,
                  [&](const EntryInfo& entry) { context.view.entry(entry, flags.long_form); });
}

void define_dump(Flags& flags, Arguments& arguments) {
  flags.choice<std::string>("--archive", {{"tar", "tar"}, {"zip", "zip"}}, arguments.dump.archive,
                            "what a directory becomes; default: tar");
  define_filter(flags, arguments.dump.filter);
}

void run_dump(Context& context) {
  Session session(context);
  const SnapshotPath from = parse_snapshot_path(context.arguments.operands.front());
  if (!from.has_path) throw Error(Code::usage, "dump wants SNAP:PATH", {}, "for example: " + from.snapshot + ":/etc/hosts");
  Repository repository = session.open();
  const SnapshotInfo snapshot = repository.resolve(from.snapshot, context.arguments.dump.filter);
  repository.dump(snapshot, from.path, context.arguments.dump.archive, [&](ByteView bytes) {
    context.output.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

void define_diff(Flags& flags, Arguments& arguments) {
  flags.flag("--metadata", arguments.diff.metadata, "also what differs in metadata only");
  define_filter(flags, arguments.diff.filter);
}

void run_diff(Context& context) {
  Session session(context);
  Repository repository = session.open();
  const DiffFlags& flags = context.arguments.diff;
  const SnapshotInfo from = repository.resolve(context.arguments.operands[0], flags.filter);
  const SnapshotInfo to = repository.resolve(context.arguments.operands[1], flags.filter);
  context.view.diff_begins(from, to);
  const DiffSummary summary = repository.diff(from, to, [&](const DiffLine& line) {
    if (line.kind != DiffLine::Kind::metadata || flags.metadata) context.view.difference(line);
  });
  context.view.diff_done(from, to, summary);
}

void run_cat(Context& context) {
  const auto& operands = context.arguments.operands;
  const bool only_one = operands[0] == "config";
  if (only_one && operands.size() > 1) throw Error(Code::usage, "there is one config: it has no id");
  if (!only_one && operands.size() < 2) throw Error(Code::usage, "cat " + operands[0] + " wants an id");
  Session session(context);
  Repository repository = session.open();
  context.output.line(repository.cat(operands[0], only_one ? "" : operands[1]));
}

}  // namespace mbu::cli
