#include "keys/slot.hpp"

#include <chrono>

#include "../support/document_vectors.hpp"

namespace mbu::keys {
namespace {

constexpr KdfCost kCheap{format::SlotKdf::argon2id, 8192, 1};
const std::string kSubject = "keys/ab";

Password password_of(std::string text) { return Password::take(text.data(), text.size()); }

std::optional<crypto::Key> root_in(std::optional<Unlocked> unlocked) {
  if (!unlocked) return std::nullopt;
  return std::move(std::get<OwnerSecrets>(*unlocked).root);
}

class OwnerSlot : public testing::Test {
 protected:
  ByteBuffer make(const KdfCost& cost = kCheap) const {
    return make_owner_slot(keyring_, root_, config_hash_, password_, {cost, "me@here", 1'700'000'000'000'000'000});
  }
  std::optional<crypto::Key> open(ByteView bytes, const std::string& password = "correct") const {
    return root_in(open_slot(bytes, config_hash_, password_of(password), kSubject));
  }

  crypto::Key root_ = crypto::random_key();
  Keyring keyring_{root_, RepositoryId{}};
  ObjectName config_hash_ = ObjectName::from(crypto::sha256(as_bytes("config")));
  Password password_ = password_of("correct");
};

TEST_F(OwnerSlot, OpensWithItsPasswordOnly) {
  for (const auto& cost : {kCheap, KdfCost{format::SlotKdf::pbkdf2, 0, 100'000}}) {
    const auto bytes = make(cost);
    const auto opened = open(bytes);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->expose(), root_.expose());
    EXPECT_FALSE(open(bytes, "wrong"));
    EXPECT_FALSE(open(bytes, ""));
    EXPECT_FALSE(open(bytes, "correct "));
  }
}

TEST_F(OwnerSlot, IsNewEveryTime) { EXPECT_NE(make(), make()); }

TEST_F(OwnerSlot, TellsItsNameToWhoHoldsTheKeys) {
  const auto bytes = make();
  const auto label = read_label(bytes, keyring_, kSubject);
  EXPECT_EQ(label.name, "me@here");
  EXPECT_EQ(label.created_ns, 1'700'000'000'000'000'000u);
  const Keyring stranger(crypto::random_key(), RepositoryId{});
  test::expect_error(Code::corrupt, "does not decrypt", [&] { (void)read_label(bytes, stranger, kSubject); });
}

TEST_F(OwnerSlot, BelongsToOneConfig) {
  const auto bytes = make();
  test::expect_error(Code::corrupt, "another repository", [&] {
    (void)open_slot(bytes, ObjectName{}, password_, kSubject);
  });
}

// One bit in every field and at both ends of the sealed parts. Bytes of the cost are left out: they only change what it costs.
TEST_F(OwnerSlot, OpensNoMoreWhenAnythingWasAltered) {
  const auto good = make();
  for (std::size_t at = 0; at < good.size(); at += at < 112 ? 3 : 17) {
    if (at >= 44 && at < 52) continue;
    auto bytes = good;
    bytes[at] ^= 1;
    try {
      EXPECT_FALSE(open(bytes)) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt) << error.what();
    }
  }
}

TEST_F(OwnerSlot, IsRefusedBeforeItsCostIsPaid) {
  struct Cost {
    std::uint8_t kdf;
    std::uint32_t memory_kib, passes;
  };
  constexpr Cost kRefused[] = {{1, 8 * 1024 - 1, 1},          {1, 1024 * 1024 + 1, 1}, {1, 0xffff'ffff, 1},
                               {1, 8192, 0},                  {1, 8192, 17},           {1, 1024 * 1024, 0xffff'ffff},
                               {2, 0, 99'999},                {2, 0, 0},               {2, 0, 100'000'001},
                               {2, 0, 0xffff'ffff}};
  for (const auto& cost : kRefused) {
    auto bytes = make();
    bytes[41] = cost.kdf;
    write_integer(MutableBytes(bytes).subspan(44), cost.memory_kib);
    write_integer(MutableBytes(bytes).subspan(48), cost.passes);
    const auto start = std::chrono::steady_clock::now();
    test::expect_error(Code::corrupt, "costs too much or too little", [&] { (void)open(bytes); });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  }
}

TEST_F(OwnerSlot, OfAWriterIsNotTheOwners) {
  auto bytes = make();
  bytes[40] = 2;
  EXPECT_FALSE(open(bytes));
}

TEST(DocumentSlot, OpensWithThePassword) {
  const test::DocumentVectors document;
  const auto root = root_in(open_slot(document.bytes("slot, PBKDF2"), document.id<ObjectName>("H(config)"),
                                      password_of(document.text("password")), kSubject));
  ASSERT_TRUE(root);
  EXPECT_EQ(to_hex(crypto::view(*root)), document.text("R"));
  const Keyring keyring(*root, document.id<RepositoryId>("repo"));
  const auto label = read_label(document.bytes("slot, PBKDF2"), keyring, kSubject);
  EXPECT_EQ(label.name, "name");
  EXPECT_EQ(label.created_ns, 1'700'000'000'000'000'000u);
}

TEST(KdfCost, IsWhatWasAskedFor) {
  InitOptions init;
  init.memory_kib = 8192;
  init.passes = 3;
  const auto argon = choose_cost(init);
  EXPECT_EQ(argon.kdf, format::SlotKdf::argon2id);
  EXPECT_EQ(argon.memory_kib, 8192u);
  EXPECT_EQ(argon.passes, 3u);
  init.kdf = Kdf::pbkdf2;
  init.passes = 600'000;
  const auto pbkdf2 = choose_cost(init);
  EXPECT_EQ(pbkdf2.kdf, format::SlotKdf::pbkdf2);
  EXPECT_EQ(pbkdf2.memory_kib, 0u);
  EXPECT_EQ(pbkdf2.passes, 600'000u);
}

TEST(KdfCost, IsChosenWithinBounds) {
  InitOptions init;
  init.memory_kib = 8192;
  const auto argon = choose_cost(init);
  EXPECT_GE(argon.passes, 3u);
  EXPECT_LE(argon.passes, 16u);
  init.kdf = Kdf::pbkdf2;
  EXPECT_GE(choose_cost(init).passes, 600'000u);
}

TEST(KdfCost, RefusesWhatIsOutOfBounds) {
  const auto refused = [](Kdf kdf, std::uint32_t memory_kib, std::uint32_t passes) {
    InitOptions init;
    init.kdf = kdf;
    init.memory_kib = memory_kib;
    init.passes = passes;
    test::expect_error(Code::usage, "must be between", [&] { (void)choose_cost(init); });
  };
  refused(Kdf::argon2id, 8191, 3);
  refused(Kdf::argon2id, 1024 * 1024 + 1, 3);
  refused(Kdf::argon2id, 8192, 2);
  refused(Kdf::argon2id, 8192, 17);
  refused(Kdf::pbkdf2, 0, 599'999);
  refused(Kdf::pbkdf2, 0, 100'000'001);
}

}  // namespace
}  // namespace mbu::keys
