#include "format/lock.hpp"

#include "format/flatbuffer.hpp"
#include "format/generated/lock_generated.h"
#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

Lock some_lock(Random& random, LockKind kind) {
  Lock lock;
  lock.kind = kind;
  lock.instance = random.id<InstanceId>();
  lock.number = 1 + random.below(3);
  if (kind != LockKind::tombstones && lock.number != 1) lock.previous = random.id<ObjectName>();
  lock.time_ns = random.any<std::int64_t>();
  if (kind == LockKind::tombstones && random.coin()) lock.predecessor = random.id<ObjectName>();
  if (kind != LockKind::acknowledgement) lock.packs = random.ids<ObjectName>(5);
  if (kind == LockKind::acknowledgement) lock.acknowledged = random.id<ObjectName>();
  return lock;
}

TEST(Lock, RoundTripsEveryKind) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    for (const auto kind : {LockKind::intent, LockKind::acknowledgement, LockKind::tombstones}) {
      const auto lock = some_lock(random, kind);
      EXPECT_EQ(decode_lock(encode_lock(lock), test::kSubject), lock);
    }
  }
}

// The lock without any check: what a hostile writer can make.
ByteBuffer unchecked(const Lock& lock) {
  flatbuffers::FlatBufferBuilder builder;
  const auto instance = detail::write_bytes(builder, lock.instance.view());
  const auto previous = detail::write_id_if_any(builder, lock.previous);
  const auto predecessor = detail::write_id_if_any(builder, lock.predecessor);
  const auto packs = detail::write_ids(builder, lock.packs);
  const auto acknowledged = detail::write_id_if_any(builder, lock.acknowledged);
  builder.Finish(fb::CreateLock(builder, static_cast<std::uint8_t>(lock.kind), instance, lock.number, previous,
                                lock.time_ns, predecessor, packs, acknowledged));
  return detail::take(builder);
}

template <class Change>
void expect_rejected(LockKind kind, Change change, std::string_view what) {
  Random random(2);
  auto lock = some_lock(random, kind);
  EXPECT_TRUE(test::decodes(unchecked(lock), decode_lock));
  change(lock);
  test::expect_corrupt(unchecked(lock), decode_lock, what);
  test::expect_refused([&] { static_cast<void>(encode_lock(lock)); }, what);
}

TEST(Lock, RejectsMembersOfOtherKinds) {
  using Kind = LockKind;
  expect_rejected(Kind::intent, [](Lock& l) { l.kind = static_cast<Kind>(4); }, "kind that is not known");
  expect_rejected(Kind::intent, [](Lock& l) { l.kind = static_cast<Kind>(0); }, "kind that is not known");
  expect_rejected(Kind::intent, [](Lock& l) { l.number = 0; }, "number 0");
  expect_rejected(Kind::intent, [](Lock& l) { l.number = 1, l.previous = ObjectName{}; }, "predecessor");
  expect_rejected(Kind::intent, [](Lock& l) { l.number = 2, l.previous.reset(); }, "predecessor");
  expect_rejected(Kind::intent, [](Lock& l) { l.predecessor = ObjectName{}; }, "without being one");
  expect_rejected(Kind::intent, [](Lock& l) { l.acknowledged = ObjectName{}; }, "does not fit its kind");
  expect_rejected(Kind::tombstones, [](Lock& l) { l.acknowledged = ObjectName{}; }, "does not fit its kind");
  expect_rejected(Kind::acknowledgement, [](Lock& l) { l.acknowledged.reset(); }, "does not fit its kind");
  expect_rejected(Kind::acknowledgement, [](Lock& l) { l.packs = {ObjectName{}}; }, "names packs");
}

TEST(Lock, SurvivesTampering) {
  Random random(3);
  test::expect_survives_tampering(encode_lock(some_lock(random, LockKind::tombstones)), decode_lock);
  test::expect_survives_tampering(encode_lock(some_lock(random, LockKind::acknowledgement)), decode_lock);
}

}  // namespace
}  // namespace mbu::format
