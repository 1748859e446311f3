#include "crypto/secret.hpp"

#include <type_traits>

#include "../support/expect.hpp"
#include "mbu/types/password.hpp"

namespace mbu::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
static_assert(!std::is_copy_constructible_v<Password> && !std::is_copy_assignable_v<Password>);

TEST(Secret, BeginsAllZero) {
  EXPECT_EQ(Key().expose(), (std::array<std::uint8_t, 32>{}));
  EXPECT_EQ(Secret<std::uint64_t>().expose(), 0u);
}

TEST(Secret, MovesWithoutACopy) {
  Key first = random_key();
  const auto* where = first.expose().data();
  const auto value = first.expose();
  Key second = std::move(first);
  EXPECT_EQ(second.expose().data(), where);
  Key third;
  third = std::move(second);
  EXPECT_EQ(third.expose().data(), where);
  EXPECT_EQ(third.expose(), value);
}

TEST(Secret, ClonesIntoMemoryOfItsOwn) {
  const Key first = random_key();
  Key second = first.clone();
  EXPECT_EQ(first.expose(), second.expose());
  second.expose()[0] ^= 1;
  EXPECT_NE(first.expose(), second.expose());
}

TEST(Secret, IsZeroedWhenItGoes) {
  const volatile std::uint8_t* where = nullptr;
  {
    const Key key = random_key();
    where = key.expose().data();
  }
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(where[i], 0);  // its pages stay, for the next
}

TEST(Secret, SmallOnesDoNotOverlap) {
  std::vector<Secret<std::array<std::uint8_t, kSlot>>> all(1000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].expose().fill(static_cast<std::uint8_t>(i));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(std::ranges::all_of(all[i].expose(), [&](std::uint8_t byte) { return byte == static_cast<std::uint8_t>(i); }));
  }
}

using Large = Secret<std::array<std::uint8_t, 2 * kSlot>>;

// The memory of a large one is unmapped with it: whoever looks there gets a signal and no secret.
TEST(SecretDeathTest, LeavesNothingBehind) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const volatile std::uint8_t* where = nullptr;
        {
          const Large secret;
          where = secret.expose().data();
        }
        volatile std::uint8_t byte = where[0];
        static_cast<void>(byte);
      },
      "");
}

TEST(SecretDeathTest, LiesBetweenGuards) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const Large secret;
        volatile std::uint8_t byte = *(static_cast<const volatile std::uint8_t*>(secret.expose().data()) + sizeof(secret.expose()));
        static_cast<void>(byte);
      },
      "");
}

TEST(Secret, RandomKeysDiffer) { EXPECT_NE(random_key().expose(), random_key().expose()); }

TEST(Wipe, OverwritesEveryByte) {
  ByteBuffer bytes(1000, 0x55);
  wipe(bytes);
  EXPECT_EQ(bytes, ByteBuffer(1000));
  wipe({});
}

TEST(ConstantTimeEqual, IsEquality) {
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_TRUE(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes(""), as_bytes("a")));
}

Password password_of(std::string text) { return Password::take(text.data(), text.size()); }

TEST(Password, OverwritesWhereItWasTakenFrom) {
  std::string text = "correct horse";
  const auto password = Password::take(text.data(), text.size());
  EXPECT_EQ(text, std::string(13, '\0'));
  EXPECT_EQ(as_text(password.view()), "correct horse");
}

TEST(Password, MayBeEmptyOrHoldAnyByte) {
  EXPECT_TRUE(password_of("").empty());
  EXPECT_EQ(as_text(password_of(std::string("a\0b", 3)).view()), std::string_view("a\0b", 3));
}

TEST(Password, MovesClonesAndCompares) {
  auto first = password_of("one");
  const auto copy = first.clone();
  EXPECT_TRUE(first.equals(copy));
  const auto moved = std::move(first);
  EXPECT_TRUE(moved.equals(copy));
  EXPECT_FALSE(moved.equals(password_of("two")));
  EXPECT_FALSE(moved.equals(password_of("on")));
  EXPECT_FALSE(moved.equals(password_of("")));
  EXPECT_TRUE(password_of("").equals(password_of("").clone()));
}

TEST(Password, AssignmentTakesTheOthersPlace) {
  auto password = password_of("one");
  password = password_of("two");
  EXPECT_EQ(as_text(password.view()), "two");
  password = password_of("");
  EXPECT_TRUE(password.empty());
}

}  // namespace
}  // namespace mbu::crypto
