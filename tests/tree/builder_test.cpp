#include "tree/builder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "../support/random.hpp"

namespace mbu::tree {
namespace {

class Builder : public testing::Test {
 protected:
  Builder() : domain_(keys::DomainKeys::derive_from(keys::main_domain(), 0, crypto::key_from(ByteBuffer(32, 7)), crypto::key_from(ByteBuffer(32, 8)))) {}

  // The last names of the leaves that a directory of these names is cut into.
  std::set<std::string> ends_of(const std::vector<std::string>& names, std::uint64_t inline_bytes = 0) const {
    LeafCutter cutter(domain_);
    std::set<std::string> ends;
    for (const auto& name : names) {
      if (cutter.ends_after(name, inline_bytes)) ends.insert(name);
    }
    return ends;
  }
  static std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back("file-" + std::to_string(1'000'000 + i * 2));
    return all;
  }
  // Leaves of one entry each, so that inner pages have something to join.
  std::vector<format::PageChild> leaves(const std::vector<std::string>& all) const {
    std::vector<format::PageChild> children;
    for (const auto& name : all) {
      children.push_back({ChunkId::from(crypto::keyed_hash(domain_.page_id, as_bytes(name))), 1, name});
    }
    return children;
  }
  ChunkId join(std::vector<format::PageChild> children) {
    return join_pages(std::move(children), domain_, [this](ByteView bytes) {
      const auto id = ChunkId::from(crypto::keyed_hash(domain_.page_id, bytes));
      pages_[id] = format::decode_page(bytes, "page");
      return id;
    });
  }
  // The names below a page in order; checks levels and counts on the way.
  std::uint64_t walk(const ChunkId& id, int level, std::vector<std::string>& found) {
    const auto page = pages_.find(id);
    if (page == pages_.end()) return 1;  // a leaf
    EXPECT_TRUE(level < 0 || page->second.level == level);
    std::uint64_t sum = 0;
    for (const auto& child : page->second.children) {
      if (page->second.level == 1) found.push_back(child.first_name);
      EXPECT_EQ(walk(child.id, page->second.level - 1, found), child.entries);
      sum += child.entries;
    }
    return sum;
  }

  keys::DomainKeys domain_;
  std::map<ChunkId, format::Page> pages_;
};

TEST_F(Builder, CutsLeavesOfUsefulSizes) {
  const auto cuts = ends_of(names(100'000)).size();
  EXPECT_GT(cuts, 400u);
  EXPECT_LT(cuts, 1500u);
}

TEST_F(Builder, EndsALeafThatIsFull) {
  EXPECT_GE(ends_of(names(1000), 4096).size(), 1000u * 4096 / (512 * 1024));
  std::vector<std::string> long_names;
  for (const auto& name : names(1000)) long_names.push_back(name + std::string(4000, 'x'));
  EXPECT_GE(ends_of(long_names).size(), 1000u * 4000 / (256 * 1024));
}

TEST_F(Builder, FindsItsCutsAgainBehindAnInsertion) {
  const auto before = names(20'000);
  for (const std::size_t at : {std::size_t{0}, std::size_t{5000}, std::size_t{19'999}}) {
    auto after = before;
    after.insert(after.begin() + static_cast<std::ptrdiff_t>(at) + 1, before[at] + "x");
    const auto a = ends_of(before), b = ends_of(after);
    std::size_t moved = 0;
    for (const auto& name : b) moved += a.contains(name) ? 0 : 1;
    EXPECT_LE(moved, 4u);
  }
}

TEST_F(Builder, CutsElsewhereUnderAnotherKey) {
  const auto a = ends_of(names(20'000));
  domain_.page_cut[0] ^= 1;
  std::size_t common = 0;
  for (const auto& name : ends_of(names(20'000))) common += a.contains(name) ? 1 : 0;
  EXPECT_LT(common, a.size() / 4);
}

TEST_F(Builder, LeavesASinglePageAsItIs) {
  const auto one = leaves({"a"});
  EXPECT_EQ(join(one), one[0].id);
  EXPECT_TRUE(pages_.empty());
}

TEST_F(Builder, JoinsAllPagesInOrder) {
  for (const std::size_t count : {2u, 9u, 600u, 5000u}) {
    const auto all = names(count);
    std::vector<std::string> found;
    EXPECT_EQ(walk(join(leaves(all)), -1, found), count);
    EXPECT_EQ(found, all);
  }
}

TEST_F(Builder, RewritesOnePathForOneNewPage) {
  auto all = names(5000);
  (void)join(leaves(all));
  const auto before = pages_.size();
  all.insert(all.begin() + 2501, all[2500] + "x");
  (void)join(leaves(all));
  EXPECT_LE(pages_.size() - before, 6u);
}

}  // namespace
}  // namespace mbu::tree
