// What a watcher keeps of the last snapshot: filled once, from below, and tidied.
#include "tree/kept_pages.hpp"

#include <gtest/gtest.h>

#include <map>

#include "../support/random.hpp"

namespace mbu::tree {
namespace {

using format::BlockRole;

class KeptPagesTest : public testing::Test {
 protected:
  ChunkId store(ByteBuffer bytes) {
    const auto id = random_.id<ChunkId>();
    stored_[id] = std::move(bytes);
    return id;
  }

  // A page that names these directories, and an inline chunk of its own.
  ChunkId directory(const std::vector<ChunkId>& below) {
    format::Page page;
    for (std::size_t i = 0; i < below.size(); ++i) {
      auto& entry = page.entries.emplace_back();
      entry.name = "d" + std::to_string(100 + i);
      entry.type = EntryType::directory;
      entry.directory = below[i];
    }
    auto& tiny = page.entries.emplace_back();
    tiny.name = "tiny";
    tiny.type = EntryType::regular;
    tiny.size = 8;
    tiny.content.kind = format::Content::Kind::inlined;
    page.inline_chunk = store(ByteBuffer(8, static_cast<std::uint8_t>(stored_.size())));
    page.inline_length = 8;
    return store(format::encode_page(page));
  }

  KeptPages::Read reader() {
    return [this](const ChunkId& id, BlockRole) {
      ++reads_;
      const auto found = stored_.find(id);
      if (found == stored_.end()) throw Error(Code::corrupt, "is missing");
      return found->second;
    };
  }

  KeptPages kept_{std::make_unique<cache::Pages>()};
  test::Random random_{1};
  std::map<ChunkId, ByteBuffer> stored_;
  int reads_ = 0;
};

TEST_F(KeptPagesTest, HoldAllOfATreeAndReadNothingTwice) {
  const auto shared = directory({});
  const auto root = directory({directory({shared}), shared, directory({directory({}), directory({})})});
  kept_.fill(root, reader());
  EXPECT_EQ(static_cast<std::size_t>(reads_), stored_.size());
  for (const auto& [id, bytes] : stored_) EXPECT_EQ(kept_.find(id), bytes);
  kept_.fill(root, reader());
  EXPECT_EQ(static_cast<std::size_t>(reads_), stored_.size());
  const auto next = directory({root});
  kept_.fill(next, reader());
  EXPECT_EQ(static_cast<std::size_t>(reads_), stored_.size());
}

TEST_F(KeptPagesTest, LeaveOutWhatIsDamaged) {
  const auto lost = directory({directory({})});
  const auto root = directory({directory({}), lost, directory({})});
  stored_.erase(lost);
  kept_.fill(root, reader());
  EXPECT_FALSE(kept_.find(lost));
  EXPECT_TRUE(kept_.find(root));
}

TEST_F(KeptPagesTest, ForgetWhatTheTreeDoesNotNameAnyMore) {
  const auto stays = directory({directory({})});
  auto root = directory({stays});
  kept_.fill(root, reader());
  std::vector<ChunkId> roots;
  for (int i = 0; i < 1500; ++i) {
    root = directory({stays});
    const auto page = stored_.at(root);
    kept_.put(root, page);
    roots.push_back(root);
    kept_.tidy(root);
  }
  const auto known = std::ranges::count_if(roots, [&](const ChunkId& id) { return kept_.find(id).has_value(); });
  EXPECT_LT(known, 1000);
  EXPECT_TRUE(kept_.find(root));
  EXPECT_TRUE(kept_.find(stays));
}

}  // namespace
}  // namespace mbu::tree
