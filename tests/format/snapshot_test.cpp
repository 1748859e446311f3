#include "format/snapshot.hpp"

#include "format/flatbuffer.hpp"
#include "format/generated/snapshot_generated.h"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

template <class Id>
std::optional<Id> maybe(Random& random) {
  return random.coin() ? std::optional(random.id<Id>()) : std::nullopt;
}

std::vector<std::string> some_texts(Random& random) {
  std::vector<std::string> texts(random.below(4));
  for (auto& text : texts) text = random.word(random.below(20));
  return texts;
}

Snapshot some_snapshot(Random& random) {
  Snapshot s;
  s.instance = random.id<InstanceId>();
  s.number = 1 + random.below(3);
  if (s.number != 1) s.previous = random.id<ObjectName>();
  s.base = maybe<ObjectName>(random);
  s.honoured = maybe<ObjectName>(random);
  s.statements = random.ids<ObjectName>(3);
  s.time = {random.any<std::int64_t>(), static_cast<std::uint32_t>(random.below(1'000'000'000))};
  s.started_ns = random.any<std::int64_t>();
  s.finished_ns = random.any<std::int64_t>();
  s.host = random.word(8);
  s.user = random.coin() ? "" : "root";
  s.uid = random.any<std::uint32_t>();
  s.gid = random.any<std::uint32_t>();
  s.paths = {"/", "/home/\xff", "/srv"};
  s.tags = some_texts(random);
  s.excludes = some_texts(random);
  s.program = "mbu 0.1.0";
  s.root = random.id<ChunkId>();
  s.files = random.number();
  s.directories = random.number();
  s.bytes = random.number();
  s.stored_bytes = random.number();
  for (auto count = random.below(3); count > 0; --count) s.problems.push_back({"/raw\xfe", random.word(12)});
  s.problem_count = s.problems.size() + random.below(2);
  s.packs_added = random.ids<ObjectName>(5);
  s.packs_removed = random.ids<ObjectName>(5);
  return s;
}

TEST(Snapshot, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const auto snapshot = some_snapshot(random);
    EXPECT_EQ(decode_snapshot(encode_snapshot(snapshot), test::kSubject), snapshot);
  }
}

template <class Change>
void expect_refused(Change change, std::string_view what) {
  Random random(2);
  auto snapshot = some_snapshot(random);
  change(snapshot);
  test::expect_refused([&] { static_cast<void>(encode_snapshot(snapshot)); }, what);
}

TEST(Snapshot, RefusesWhatCannotBeRead) {
  expect_refused([](Snapshot& s) { s.number = 0; }, "number 0");
  expect_refused([](Snapshot& s) { s.number = 1, s.previous = ObjectName{}; }, "predecessor");
  expect_refused([](Snapshot& s) { s.number = 2, s.previous.reset(); }, "predecessor");
  expect_refused([](Snapshot& s) { s.time.nanoseconds = 1'000'000'000; }, "time");
  expect_refused([](Snapshot& s) { s.root = {}; }, "root page");
  expect_refused([](Snapshot& s) { s.paths = {"home"}; }, "not absolute");
  expect_refused([](Snapshot& s) { s.paths = {""}; }, "not absolute");
  expect_refused([](Snapshot& s) { s.paths = {std::string("/a\0", 3)}; }, "not absolute");
  expect_refused([](Snapshot& s) { s.paths = {"/b", "/a"}; }, "not sorted");
  expect_refused([](Snapshot& s) { s.paths = {"/a", "/a"}; }, "not sorted");
  expect_refused([](Snapshot& s) { s.problems.resize(1001), s.problem_count = 1001; }, "more problems");
  expect_refused([](Snapshot& s) { s.problems.resize(2), s.problem_count = 1; }, "more problems");
}

// A snapshot with nothing in it but what these say.
ByteBuffer hostile(std::uint64_t number, std::size_t previous, std::size_t instance, std::size_t root, std::uint32_t nanoseconds,
                   const std::vector<std::string>& paths, std::size_t packs = 0, std::size_t problems = 0) {
  flatbuffers::FlatBufferBuilder builder;
  const auto bytes = [&](std::size_t size) { return builder.CreateVector(ByteBuffer(size, 7)); };
  std::vector<flatbuffers::Offset<fb::Path>> path_tables;
  for (const auto& path : paths) path_tables.push_back(fb::CreatePath(builder, detail::write_bytes(builder, as_bytes(path))));
  std::vector<flatbuffers::Offset<fb::Problem>> problem_tables;
  while (problem_tables.size() < problems) problem_tables.push_back(fb::CreateProblem(builder));
  const auto previous_bytes = bytes(previous), instance_bytes = bytes(instance), root_bytes = bytes(root),
             pack_bytes = bytes(packs);
  const auto all_paths = builder.CreateVector(path_tables);
  const auto all_problems = builder.CreateVector(problem_tables);
  fb::SnapshotBuilder table(builder);
  table.add_number(number);
  table.add_previous(previous_bytes);
  table.add_instance(instance_bytes);
  table.add_root(root_bytes);
  table.add_time_ns(nanoseconds);
  table.add_paths(all_paths);
  table.add_packs_added(pack_bytes);
  table.add_problems(all_problems);
  table.add_problem_count(problems);
  builder.Finish(table.Finish());
  return detail::take(builder);
}

TEST(Snapshot, RejectsWhatNobodyMayWrite) {
  EXPECT_TRUE(test::decodes(hostile(1, 0, 16, 32, 0, {"/a", "/b"}), decode_snapshot));
  EXPECT_TRUE(test::decodes(hostile(2, 32, 16, 32, 999'999'999, {}, 64, 1000), decode_snapshot));
  test::expect_corrupt(hostile(0, 0, 16, 32, 0, {}), decode_snapshot, "number 0");
  test::expect_corrupt(hostile(1, 32, 16, 32, 0, {}), decode_snapshot, "predecessor");
  test::expect_corrupt(hostile(2, 0, 16, 32, 0, {}), decode_snapshot, "predecessor");
  test::expect_corrupt(hostile(2, 31, 16, 32, 0, {}), decode_snapshot, "name of the wrong length");
  test::expect_corrupt(hostile(1, 0, 15, 32, 0, {}), decode_snapshot, "instance id");
  test::expect_corrupt(hostile(1, 0, 0, 32, 0, {}), decode_snapshot, "instance id");
  test::expect_corrupt(hostile(1, 0, 16, 33, 0, {}), decode_snapshot, "root page");
  test::expect_corrupt(hostile(1, 0, 16, 32, 1'000'000'000, {}), decode_snapshot, "time");
  test::expect_corrupt(hostile(1, 0, 16, 32, 0, {"/b", "/a"}), decode_snapshot, "not sorted");
  test::expect_corrupt(hostile(1, 0, 16, 32, 0, {"a"}), decode_snapshot, "not absolute");
  test::expect_corrupt(hostile(1, 0, 16, 32, 0, {""}), decode_snapshot, "not absolute");
  test::expect_corrupt(hostile(1, 0, 16, 32, 0, {}, 33), decode_snapshot, "name of the wrong length");
  test::expect_corrupt(hostile(1, 0, 16, 32, 0, {}, 0, 1001), decode_snapshot, "more problems");
}

TEST(Snapshot, SurvivesTampering) {
  Random random(3);
  test::expect_survives_tampering(encode_snapshot(some_snapshot(random)), decode_snapshot);
}

}  // namespace
}  // namespace mbu::format
