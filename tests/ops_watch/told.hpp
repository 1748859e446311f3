// What tests of feeds share: a tree to change, a feed that watches it, and what that tells.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "ops/watch/feed.hpp"
#include "../support/temporary_directory.hpp"

namespace mbu::ops {

// A collected Dirty, asked by path.
class Told {
 public:
  explicit Told(Feed& feed) { feed.collect(dirty_); }

  [[nodiscard]] bool empty() const { return dirty_.empty(); }
  // The directory is listed again: named itself, within a subtree that is, or one that holds such a directory, of which it has the times: packaging
  // lists it unless these are as recorded.
  [[nodiscard]] bool lists(const std::string& path) const { return look(path).entries; }
  // The directory and all below it.
  [[nodiscard]] bool walks(const std::string& path) const { return look(path).subtree; }

 private:
  static bool holds_listed(const ingest::Dirty::Node& node) {
    return std::ranges::any_of(node.children, [](const auto& child) { return child.second->is_to_be_listed(); });
  }
  struct Look {
    bool entries = false;
    bool subtree = false;
  };
  [[nodiscard]] Look look(std::string_view path) const {
    const auto* node = &dirty_.root();
    while (node != nullptr && !node->subtree) {
      const auto begin = path.find_first_not_of('/');
      if (begin == std::string_view::npos) return {node->entries || holds_listed(*node), false};
      path.remove_prefix(begin);
      const auto name = path.substr(0, path.find('/'));
      path.remove_prefix(name.size());
      node = node->child(name);
    }
    return {node != nullptr, node != nullptr};
  }
  ingest::Dirty dirty_;
};

// Waits until there is something to collect, but not long.
inline bool is_readable(const Feed& feed) {
  pollfd descriptor{feed.descriptor(), POLLIN, 0};
  return ::poll(&descriptor, 1, 20) == 1;
}

class WatchedTree {
 public:
  WatchedTree() { std::filesystem::create_directories(tree()); }

  [[nodiscard]] std::string tree() const { return directory_ / "tree"; }
  // In the tree.
  [[nodiscard]] std::string at(const std::string& name) const { return tree() + '/' + name; }
  // Beside it.
  [[nodiscard]] std::string beside(const std::string& name) const { return directory_ / name; }

  static void write(const std::string& path, const std::string& text = "text") { std::ofstream(path, std::ios::app) << text; }
  static void make(const std::string& path) { std::filesystem::create_directories(path); }
  static void move(const std::string& from, const std::string& to) { std::filesystem::rename(from, to); }
  static void remove(const std::string& path) { std::filesystem::remove_all(path); }

  [[nodiscard]] FeedRequest request() const {
    FeedRequest request;
    request.paths = {tree()};
    return request;
  }

 private:
  mbu::test::TemporaryDirectory directory_;
};

}  // namespace mbu::ops
