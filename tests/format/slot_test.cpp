#include "format/slot.hpp"

#include <functional>

#include "support.hpp"

namespace mbu::format {
namespace {

using test::Random;

Slot some_slot(Random& random, Role role = Role::owner) {
  Slot slot;
  slot.config_hash = random.id<ObjectName>();
  slot.role = role;
  slot.kdf = random.coin() ? SlotKdf::argon2id : SlotKdf::pbkdf2;
  slot.memory_kib = slot.kdf == SlotKdf::argon2id ? random.any<std::uint32_t>() : 0;
  slot.passes = random.any<std::uint32_t>();
  slot.salt = random.array<16>();
  slot.public_key = random.id<PublicKey>();
  slot.label = random.bytes(16 + 32 * (1 + random.below(3)));
  slot.wrapped = random.bytes(role == Role::owner ? 80 : 17 + random.below(1000));
  return slot;
}

TEST(Slot, RoundTrips) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const auto slot = some_slot(random, random.coin() ? Role::owner : Role::writer);
    EXPECT_EQ(decode_slot(encode_slot(slot), test::kSubject), slot);
  }
}

Slot some_fido_slot(Random& random) {
  auto slot = some_slot(random);
  slot.kdf = SlotKdf::fido2;
  slot.memory_kib = slot.passes = 0;
  slot.fido_credential = random.bytes(1 + random.below(kLongestFidoCredential));
  slot.fido_verifies = random.coin();
  return slot;
}

TEST(Slot, OfAnAuthenticatorRoundTrips) {
  Random random(6);
  for (int round = 0; round < 200; ++round) {
    const auto slot = some_fido_slot(random);
    const auto bytes = encode_slot(slot);
    EXPECT_EQ(decode_slot(bytes, test::kSubject), slot);
    EXPECT_EQ(slot_wrap_aad_input(bytes).size(), bytes.size() - slot.wrapped.size());
    EXPECT_NO_THROW(check_kdf_cost(slot, test::kSubject));
  }
}

TEST(Slot, OfAnAuthenticatorHasACredentialAndNoCost) {
  Random random(7);
  const auto refused = [&](const std::function<void(Slot&)>& change) {
    auto slot = some_fido_slot(random);
    change(slot);
    EXPECT_THROW((void)decode_slot(encode_slot(slot), test::kSubject), Error);
  };
  refused([](Slot& slot) { slot.fido_credential.clear(); });
  refused([](Slot& slot) { slot.fido_credential.resize(kLongestFidoCredential + 1); });
  refused([](Slot& slot) { slot.memory_kib = 1; });
  refused([](Slot& slot) { slot.passes = 1; });
  refused([](Slot& slot) { slot.kdf = SlotKdf::pbkdf2; });
  auto bytes = encode_slot(some_fido_slot(random));
  bytes[110] = 2;
  EXPECT_THROW((void)decode_slot(bytes, test::kSubject), Error);
}

TEST(Slot, HasItsFieldsWhereTheFormatSays) {
  Random random(2);
  auto slot = some_slot(random, Role::writer);
  slot.kdf = SlotKdf::argon2id;
  slot.memory_kib = 0x01020304;
  slot.passes = 5;
  slot.label.resize(48);
  slot.wrapped.resize(300);
  const auto bytes = encode_slot(slot);
  const ByteView view(bytes);
  EXPECT_EQ(as_text(view.first(8)), std::string_view("MBUK\1\0\1\0", 8));
  EXPECT_EQ(ObjectName::from(view.subspan(8, 32)), slot.config_hash);
  EXPECT_EQ(as_text(view.subspan(40, 16)), std::string_view("\2\1\0\0\4\3\2\1\5\0\0\0\1\0\0\0", 16));
  EXPECT_TRUE(std::equal(slot.salt.begin(), slot.salt.end(), bytes.begin() + 56));
  EXPECT_EQ(PublicKey::from(view.subspan(72, 32)), slot.public_key);
  EXPECT_EQ(as_text(view.subspan(104, 8)), std::string_view("\60\0\54\1\0\0\0\0", 8));
  EXPECT_EQ(bytes.size(), 112u + 48 + 300);
}

TEST(Slot, GivesThePartsThatAreBound) {
  Random random(3);
  const auto slot = some_slot(random);
  const auto bytes = encode_slot(slot);
  const ByteView view(bytes);
  EXPECT_EQ(slot_public_part(bytes).size(), 104u);
  EXPECT_EQ(slot_label_aad(bytes).size(), 112u);
  EXPECT_EQ(slot_wrap_aad_input(bytes).size(), 112 + slot.label.size());
  // They're asked for before what follows them exists.
  const auto head = encode_slot_head(slot, slot.label.size(), slot.wrapped.size());
  EXPECT_EQ(head, ByteBuffer(bytes.begin(), bytes.begin() + 112));
  EXPECT_EQ(slot_public_part(head).size(), 104u);
  EXPECT_EQ(slot_wrap_aad_input(view.first(112 + slot.label.size())).size(), 112 + slot.label.size());
  EXPECT_THROW(static_cast<void>(slot_wrap_aad_input(head)), Error);
  EXPECT_THROW(static_cast<void>(slot_label_aad(view.first(111))), Error);
  EXPECT_THROW(static_cast<void>(slot_public_part(view.first(103))), Error);
}

// The bytes of a good slot with one integer replaced.
template <class T>
ByteBuffer slot_with(std::size_t at, T value) {
  Random random(4);
  auto slot = some_slot(random);
  slot.kdf = SlotKdf::pbkdf2;
  slot.memory_kib = 0;
  auto bytes = encode_slot(slot);
  write_integer(MutableBytes(bytes).subspan(at), value);
  return bytes;
}

TEST(Slot, RejectsOtherFiles) { test::expect_corrupt(slot_with<std::uint8_t>(3, 'P'), decode_slot, "is not a slot"); }

TEST(Slot, RejectsAnUnknownVersionOrSuite) {
  test::expect_corrupt(slot_with<std::uint16_t>(4, 2), decode_slot, "version or suite");
  test::expect_corrupt(slot_with<std::uint16_t>(6, 0), decode_slot, "version or suite");
}

TEST(Slot, RejectsAnUnknownRole) {
  for (const auto role : std::initializer_list<std::uint8_t>{0, 3, 255}) {
    test::expect_corrupt(slot_with(40, role), decode_slot, "role");
  }
}

TEST(Slot, RejectsAnUnknownKdf) {
  for (const auto kdf : std::initializer_list<std::uint8_t>{0, 4, 255}) {
    test::expect_corrupt(slot_with(41, kdf), decode_slot, "key derivation");
  }
}

TEST(Slot, RejectsBytesThatMustBeZero) {
  test::expect_corrupt(slot_with<std::uint8_t>(43, 1), decode_slot, "must be zero");
  test::expect_corrupt(slot_with<std::uint8_t>(111, 1), decode_slot, "flags");
  test::expect_corrupt(slot_with<std::uint16_t>(108, 1), decode_slot, "impossible length");
}

TEST(Slot, RejectsMemoryForPbkdf2) {
  test::expect_corrupt(slot_with<std::uint32_t>(44, 1), decode_slot, "memory");
}

TEST(Slot, RejectsOtherLanesThanOne) {
  test::expect_corrupt(slot_with<std::uint32_t>(52, 2), decode_slot, "lanes");
  test::expect_corrupt(slot_with<std::uint32_t>(52, 0), decode_slot, "lanes");
}

TEST(Slot, RejectsAnImpossibleLabel) {
  for (const auto length : std::initializer_list<std::uint16_t>{0, 16, 47, 49, 65535}) {
    test::expect_corrupt(slot_with(104, length), decode_slot, "impossible length");
  }
}

TEST(Slot, RejectsAnOwnersSecretsOfAnotherLength) {
  for (const auto length : std::initializer_list<std::uint16_t>{0, 79, 81, 65535}) {
    test::expect_corrupt(slot_with(106, length), decode_slot, "impossible length");
  }
}

TEST(Slot, RejectsMoreThan64KiB) {
  Random random(5);
  auto slot = some_slot(random, Role::writer);
  slot.label.resize(48);
  slot.wrapped = random.bytes(kLargestSlot - kSlotHeadSize - 48);
  const auto bytes = encode_slot(slot);
  EXPECT_EQ(bytes.size(), kLargestSlot);
  EXPECT_EQ(decode_slot(bytes, test::kSubject), slot);
  slot.wrapped.push_back(0);
  test::expect_refused([&] { static_cast<void>(encode_slot(slot)); }, "impossible length");
  auto longer = bytes;
  longer.push_back(0);
  test::expect_corrupt(longer, decode_slot, "too large");
}

TEST(Slot, RejectsAnythingBehindItsEnd) {
  auto bytes = slot_with<std::uint8_t>(0, 'M');
  bytes.push_back(0);
  test::expect_corrupt(bytes, decode_slot, "too long");
}

TEST(Slot, SurvivesTampering) {
  Random random(6);
  test::expect_survives_tampering(encode_slot(some_slot(random)), decode_slot);
  test::expect_survives_tampering(encode_slot(some_slot(random, Role::writer)), decode_slot);
}

void expect_cost(SlotKdf kdf, std::uint32_t memory_kib, std::uint32_t passes, bool accepted) {
  Slot slot;
  slot.kdf = kdf;
  slot.memory_kib = memory_kib;
  slot.passes = passes;
  if (accepted) {
    EXPECT_NO_THROW(check_kdf_cost(slot, test::kSubject)) << memory_kib << ' ' << passes;
  } else {
    EXPECT_THROW(check_kdf_cost(slot, test::kSubject), Error) << memory_kib << ' ' << passes;
  }
}

TEST(SlotCost, HasACeilingAndAFloor) {
  constexpr std::uint32_t kMiB = 1024;
  expect_cost(SlotKdf::argon2id, 64 * kMiB, 3, true);
  expect_cost(SlotKdf::argon2id, 8 * kMiB, 1, true);
  expect_cost(SlotKdf::argon2id, 1024 * kMiB, 16, true);
  expect_cost(SlotKdf::argon2id, 8 * kMiB - 1, 3, false);
  expect_cost(SlotKdf::argon2id, 1024 * kMiB + 1, 3, false);
  expect_cost(SlotKdf::argon2id, 64 * kMiB, 0, false);
  expect_cost(SlotKdf::argon2id, 64 * kMiB, 17, false);
  expect_cost(SlotKdf::pbkdf2, 0, 100'000, true);
  expect_cost(SlotKdf::pbkdf2, 0, 100'000'000, true);
  expect_cost(SlotKdf::pbkdf2, 0, 99'999, false);
  expect_cost(SlotKdf::pbkdf2, 0, 100'000'001, false);
}

TEST(SlotLabel, RoundTripsInMultiplesOf32) {
  Random random(7);
  for (std::size_t length = 0; length < 200; ++length) {
    const SlotLabel label{random.number(), random.word(length)};
    const auto bytes = encode_slot_label(label);
    EXPECT_EQ(bytes.size() % 32, 0u);
    EXPECT_EQ(decode_slot_label(bytes, test::kSubject), label);
  }
}

TEST(SlotLabel, RejectsOtherPadding) {
  const auto good = encode_slot_label({1, "me@here"});
  auto bytes = good;
  bytes.resize(64);
  test::expect_corrupt(bytes, decode_slot_label, "padded");
  bytes.resize(31);
  test::expect_corrupt(bytes, decode_slot_label, "padded");
  bytes = good;
  bytes.back() = 'x';
  test::expect_corrupt(bytes, decode_slot_label, "must be zero");
  test::expect_corrupt({}, decode_slot_label, "cut short");
}

TEST(SlotLabel, RefusesNamesThatCannotBeReadBack) {
  test::expect_refused([] { static_cast<void>(encode_slot_label({1, std::string("a\0b", 3)})); }, "zero byte");
  test::expect_refused([] { static_cast<void>(encode_slot_label({1, std::string(100'000, 'a')})); }, "too long");
}

}  // namespace
}  // namespace mbu::format
