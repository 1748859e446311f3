#include "format/snapshot.hpp"

#include "format/flatbuffer.hpp"
#include "format/generated/snapshot_generated.h"

namespace mbu::format {
namespace {

constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;

// What is wrong with a snapshot, or null.
const char* defect_of(const Snapshot& snapshot) noexcept {
  if (snapshot.number == 0) return "has number 0";
  if ((snapshot.number == 1) == snapshot.previous.has_value()) return "has a predecessor that does not fit its number";
  if (snapshot.time.nanoseconds >= kNanosecondsPerSecond) return "has an impossible time";
  if (snapshot.root.is_zero()) return "has no root page";
  if (snapshot.problems.size() > kMostProblems || snapshot.problems.size() > snapshot.problem_count) {
    return "describes more problems than it may";
  }
  for (std::size_t i = 0; i < snapshot.paths.size(); ++i) {
    const auto& path = snapshot.paths[i];
    if (path.empty() || path[0] != '/' || path.find('\0') != std::string::npos) return "has a path that is not absolute";
    if (i != 0 && snapshot.paths[i - 1] >= path) return "has paths that are not sorted";
  }
  return nullptr;
}

}  // namespace

ByteBuffer encode_snapshot(const Snapshot& snapshot) {
  if (const char* defect = defect_of(snapshot)) throw Error(Code::failed, std::string("a snapshot ") + defect);
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fb::Path>> path_tables;
  for (const auto& path : snapshot.paths) {
    path_tables.push_back(fb::CreatePath(builder, detail::write_bytes(builder, as_bytes(path))));
  }
  std::vector<flatbuffers::Offset<fb::Problem>> problem_tables;
  for (const auto& problem : snapshot.problems) {
    const auto path = detail::write_bytes(builder, as_bytes(problem.path));
    const auto message = detail::write_text(builder, problem.message);
    problem_tables.push_back(fb::CreateProblem(builder, path, message));
  }
  const auto paths = detail::write_tables(builder, path_tables);
  const auto problems = detail::write_tables(builder, problem_tables);
  const auto instance = detail::write_bytes(builder, snapshot.instance.view());
  const auto previous = detail::write_id_if_any(builder, snapshot.previous);
  const auto base = detail::write_id_if_any(builder, snapshot.base);
  const auto honoured = detail::write_id_if_any(builder, snapshot.honoured);
  const auto statements = detail::write_ids(builder, snapshot.statements);
  const auto host = detail::write_text(builder, snapshot.host);
  const auto user = detail::write_text(builder, snapshot.user);
  const auto tags = detail::write_texts(builder, snapshot.tags);
  const auto excludes = detail::write_texts(builder, snapshot.excludes);
  const auto program = detail::write_text(builder, snapshot.program);
  const auto root = detail::write_bytes(builder, snapshot.root.view());
  const auto packs_added = detail::write_ids(builder, snapshot.packs_added);
  const auto packs_removed = detail::write_ids(builder, snapshot.packs_removed);

  fb::SnapshotBuilder table(builder);
  table.add_instance(instance);
  table.add_number(snapshot.number);
  table.add_previous(previous);
  table.add_base(base);
  table.add_honoured(honoured);
  table.add_statements(statements);
  table.add_time_s(snapshot.time.seconds);
  table.add_time_ns(snapshot.time.nanoseconds);
  table.add_started_ns(snapshot.started_ns);
  table.add_finished_ns(snapshot.finished_ns);
  table.add_host(host);
  table.add_user(user);
  table.add_uid(snapshot.uid);
  table.add_gid(snapshot.gid);
  table.add_paths(paths);
  table.add_tags(tags);
  table.add_excludes(excludes);
  table.add_program(program);
  table.add_root(root);
  table.add_files(snapshot.files);
  table.add_directories(snapshot.directories);
  table.add_bytes(snapshot.bytes);
  table.add_stored_bytes(snapshot.stored_bytes);
  table.add_problem_count(snapshot.problem_count);
  table.add_problems(problems);
  table.add_packs_added(packs_added);
  table.add_packs_removed(packs_removed);
  builder.Finish(table.Finish());
  return detail::take(builder);
}

Snapshot decode_snapshot(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  const auto& root = reader.root<fb::Snapshot>();
  constexpr const char* kBadName = "refers to an object by a name of the wrong length";
  Snapshot snapshot;
  snapshot.instance = reader.identifier<InstanceId>(root.instance(), "has an instance id of the wrong length");
  snapshot.number = root.number();
  snapshot.previous = reader.identifier_if_any<ObjectName>(root.previous(), kBadName);
  snapshot.base = reader.identifier_if_any<ObjectName>(root.base(), kBadName);
  snapshot.honoured = reader.identifier_if_any<ObjectName>(root.honoured(), kBadName);
  snapshot.statements = reader.identifiers<ObjectName>(root.statements(), kBadName);
  snapshot.time = {root.time_s(), root.time_ns()};
  snapshot.started_ns = root.started_ns();
  snapshot.finished_ns = root.finished_ns();
  snapshot.host = reader.text(root.host());
  snapshot.user = reader.text(root.user());
  snapshot.uid = root.uid();
  snapshot.gid = root.gid();
  reader.for_each(root.paths(), [&](const fb::Path& path) {
    snapshot.paths.emplace_back(as_text(reader.bytes(path.bytes())));
  });
  snapshot.tags = reader.texts(root.tags());
  snapshot.excludes = reader.texts(root.excludes());
  snapshot.program = reader.text(root.program());
  snapshot.root = reader.identifier<ChunkId>(root.root(), "has a root page's id of the wrong length");
  snapshot.files = root.files();
  snapshot.directories = root.directories();
  snapshot.bytes = root.bytes();
  snapshot.stored_bytes = root.stored_bytes();
  snapshot.problem_count = root.problem_count();
  reader.for_each(root.problems(), [&](const fb::Problem& problem) {
    const auto path = as_text(reader.bytes(problem.path()));
    snapshot.problems.push_back({std::string(path), reader.text(problem.message())});
  });
  snapshot.packs_added = reader.identifiers<ObjectName>(root.packs_added(), kBadName);
  snapshot.packs_removed = reader.identifiers<ObjectName>(root.packs_removed(), kBadName);
  if (const char* defect = defect_of(snapshot)) detail::corrupt(defect, subject);
  return snapshot;
}

}  // namespace mbu::format
