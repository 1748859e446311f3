#include "format/statement.hpp"

#include "../support/document_vectors.hpp"
#include "format/flatbuffer.hpp"
#include "format/generated/statement_generated.h"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

template <class Make>
void fill(Random& random, Make make) {
  for (auto count = random.below(4); count > 0; --count) make();
}

Statement some_statement(Random& random) {
  Statement s;
  s.number = 1 + random.below(3);
  if (s.number != 1) s.previous = {random.id<ObjectName>(), random.id<ObjectName>()};
  s.time_ns = random.any<std::int64_t>();
  fill(random, [&] { s.features.push_back({random.word(9), static_cast<Feature::Required>(random.below(3))}); });
  fill(random, [&] { s.sealing.push_back({random.any<std::uint32_t>(), random.id<PublicKey>()}); });
  if (random.coin()) s.chunker = ChunkerParameters{64, 1000, 4 * 1024 * 1024};
  fill(random, [&] { s.admitted.push_back({random.id<PublicKey>(), random.word(5), random.id<DomainId>()}); });
  fill(random, [&] {
    s.removed.push_back({random.id<PublicKey>(), random.ids<ObjectName>(3), random.ids<ObjectName>(3)});
  });
  s.slots_added = random.ids<ObjectName>(3);
  s.slots_removed = random.ids<ObjectName>(3);
  s.pins = random.ids<ObjectName>(3);
  s.forgets = random.ids<ObjectName>(3);
  fill(random, [&] { s.fences.push_back({random.id<InstanceId>(), random.number()}); });
  fill(random, [&] {
    s.grants.push_back({random.id<PublicKey>(), random.any<std::uint32_t>(), random.bytes(1 + random.below(99))});
  });
  return s;
}

TEST(Statement, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const auto statement = some_statement(random);
    EXPECT_EQ(decode_statement(encode_statement(statement), test::kSubject), statement);
  }
}

template <class Change>
void expect_refused(Change change, std::string_view what) {
  Statement statement;
  change(statement);
  test::expect_refused([&] { static_cast<void>(encode_statement(statement)); }, what);
}

TEST(Statement, RefusesWhatCannotBeRead) {
  expect_refused([](Statement& s) { s.number = 0; }, "number 0");
  expect_refused([](Statement& s) { s.number = 2; }, "predecessors");
  expect_refused([](Statement& s) { s.previous = {ObjectName{}}; }, "predecessors");
  expect_refused([](Statement& s) { s.features = {{"", Feature::Required::to_read}}; }, "without a name");
  expect_refused([](Statement& s) { s.features = {{"x", static_cast<Feature::Required>(3)}}; }, "weight");
  expect_refused([](Statement& s) { s.grants = {{{}, 1, {}}}; }, "grants nothing");
}

TEST(Statement, RefusesImpossibleChunkers) {
  constexpr ChunkerParameters kBad[] = {{63, 100, 200}, {100, 99, 200}, {100, 200, 199}, {100, 200, 4 * 1024 * 1024 + 1}};
  for (const auto& chunker : kBad) {
    expect_refused([&](Statement& s) { s.chunker = chunker; }, "lengths of chunks");
    flatbuffers::FlatBufferBuilder builder;
    const auto table = fb::CreateChunker(builder, chunker.minimum, chunker.normal, chunker.maximum);
    builder.Finish(fb::CreateStatement(builder, 1, 0, 0, 0, 0, table));
    test::expect_corrupt(detail::take(builder), decode_statement, "lengths of chunks");
  }
  Statement good;
  good.chunker = ChunkerParameters{64, 64, 64};
  EXPECT_EQ(decode_statement(encode_statement(good), test::kSubject), good);
}

TEST(Statement, RejectsNamesAndKeysOfOtherLengths) {
  const auto with = [](std::size_t previous, std::size_t key, std::size_t domain) {
    flatbuffers::FlatBufferBuilder builder;
    const auto bytes = [&](std::size_t size) { return builder.CreateVector(ByteBuffer(size, 7)); };
    const auto previous_bytes = bytes(previous), key_bytes = bytes(key), domain_bytes = bytes(domain);
    const auto writer = fb::CreateWriter(builder, key_bytes, builder.CreateString("w"), domain_bytes);
    const auto writers = builder.CreateVector(std::vector{writer});
    builder.Finish(fb::CreateStatement(builder, 2, previous_bytes, 0, 0, 0, 0, writers));
    return detail::take(builder);
  };
  EXPECT_TRUE(test::decodes(with(32, 32, 16), decode_statement));
  test::expect_corrupt(with(33, 32, 16), decode_statement, "name of the wrong length");
  test::expect_corrupt(with(32, 31, 16), decode_statement, "key of the wrong length");
  test::expect_corrupt(with(32, 32, 17), decode_statement, "domain of the wrong length");
}

TEST(Statement, SurvivesTampering) {
  Random random(2);
  test::expect_survives_tampering(encode_statement(some_statement(random)), decode_statement);
}

TEST(Statement, ReadsTheDocuments) {
  const mbu::test::DocumentVectors document;
  const auto statement = decode_statement(document.bytes("FlatBuffer"), test::kSubject);
  EXPECT_EQ(statement.number, 1u);
  EXPECT_TRUE(statement.previous.empty());
  EXPECT_EQ(statement.time_ns, 1'700'000'000'000'000'000);
  ASSERT_EQ(statement.sealing.size(), 1u);
  EXPECT_EQ(statement.sealing[0].generation, 1u);
  EXPECT_EQ(statement.sealing[0].public_key.hex(), document.text("sealing public key"));
}

}  // namespace
}  // namespace mbu::format
