#include "ingest/dirty.hpp"

#include <gtest/gtest.h>

namespace mbu::ingest {
namespace {

using Scope = Dirty::Scope;

const Dirty::Node* at(const Dirty& dirty, const std::vector<std::string>& names) {
  const auto* node = &dirty.root();
  for (const auto& name : names) {
    if (node != nullptr) node = node->child(name);
  }
  return node;
}

TEST(Dirty, IsEmptyUntilSomethingIsAdded) {
  Dirty dirty;
  EXPECT_TRUE(dirty.empty());
  dirty.add("/", Scope::entries);
  EXPECT_FALSE(dirty.empty());
  EXPECT_FALSE(dirty.is_everything());
  dirty.clear();
  EXPECT_TRUE(dirty.empty());
}

TEST(Dirty, MarksTheDirectoryAndNoOther) {
  Dirty dirty;
  dirty.add("/a//b/c/", Scope::entries);
  EXPECT_TRUE(at(dirty, {"a", "b", "c"})->entries);
  EXPECT_FALSE(at(dirty, {"a", "b"})->entries);
  EXPECT_FALSE(at(dirty, {"a"})->entries);
  EXPECT_FALSE(dirty.root().entries);
  EXPECT_EQ(at(dirty, {"a", "x"}), nullptr);
}

TEST(Dirty, SaysWhatIsToBeListed) {
  Dirty dirty;
  EXPECT_FALSE(dirty.lists("/"));
  dirty.add("/a/b", Scope::entries);
  dirty.add("/c", Scope::subtree);
  for (const auto* listed : {"/a/b", "/a//b/", "/c", "/c/d/e"}) EXPECT_TRUE(dirty.lists(listed)) << listed;
  for (const auto* other : {"/", "/a", "/a/b/c", "/a/x", "/cc"}) EXPECT_FALSE(dirty.lists(other)) << other;
  dirty.add_everything();
  EXPECT_TRUE(dirty.lists("/"));
  EXPECT_TRUE(dirty.lists("/a/x"));
}

TEST(Dirty, SwallowsWhatLiesBelowASubtree) {
  Dirty dirty;
  dirty.add("/a/b/c", Scope::entries);
  dirty.add("/a/b", Scope::subtree);
  EXPECT_TRUE(at(dirty, {"a", "b"})->subtree);
  EXPECT_EQ(at(dirty, {"a", "b", "c"}), nullptr);
  dirty.add("/a/b/d", Scope::entries);
  EXPECT_EQ(at(dirty, {"a", "b", "d"}), nullptr);
  EXPECT_FALSE(at(dirty, {"a"})->is_to_be_listed());
}

TEST(Dirty, MergesAsIfAllHadBeenAddedToOne) {
  Dirty one, other;
  one.add("/a/b", Scope::entries);
  one.add("/x", Scope::subtree);
  other.add("/a", Scope::subtree);
  other.add("/x/y", Scope::entries);
  other.add("/z", Scope::entries);
  one.merge(other);
  EXPECT_TRUE(at(one, {"a"})->subtree);
  EXPECT_EQ(at(one, {"a", "b"}), nullptr);
  EXPECT_TRUE(at(one, {"x"})->subtree);
  EXPECT_EQ(at(one, {"x", "y"}), nullptr);
  EXPECT_TRUE(at(one, {"z"})->entries);
  one.merge(Dirty{});
  EXPECT_TRUE(at(one, {"z"})->entries);
}

TEST(Dirty, IsEverythingWhenThereIsTooMuch) {
  Dirty dirty;
  for (std::size_t i = 0; i <= Dirty::kMost && !dirty.is_everything(); ++i) dirty.add("/d/" + std::to_string(i), Scope::entries);
  EXPECT_TRUE(dirty.is_everything());
  EXPECT_TRUE(dirty.root().children.empty());
  dirty.add("/d/1", Scope::entries);
  EXPECT_TRUE(dirty.root().children.empty());
}

}  // namespace
}  // namespace mbu::ingest
