// Dirty: which directories must be looked at again, as a tree of their names. What is not in it is taken over as it was packaged last.
//
// Adding is cheap and bounded: when there are too many directories, everything is dirty. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mbu::ingest {

class Dirty {
 public:
  enum class Scope {
    entries,  // the directory's listing, and what its files hold
    subtree,  // all below it, too
  };

  struct Node {
    bool entries = false;
    bool subtree = false;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    [[nodiscard]] bool is_to_be_listed() const noexcept { return entries || subtree; }
    [[nodiscard]] const Node* child(std::string_view name) const;
  };

  // `directory`: an absolute path; it need not exist any more.
  void add(std::string_view directory, Scope scope);
  void add_everything();
  // All of `other` as well.
  void merge(const Dirty& other);
  void clear();

  [[nodiscard]] bool empty() const noexcept { return !root_.entries && !root_.subtree && root_.children.empty(); }
  [[nodiscard]] bool is_everything() const noexcept { return root_.subtree; }
  // Whether that directory is to be listed.
  [[nodiscard]] bool lists(std::string_view directory) const;
  // Of "/".
  [[nodiscard]] const Node& root() const noexcept { return root_; }
  // Directories that are to be listed or walked, about.
  [[nodiscard]] std::size_t size() const noexcept { return nodes_; }

  // Beyond this many nodes everything is dirty: some 150 bytes each.
  static constexpr std::size_t kMost = 100'000;

 private:
  void merge(Node& to, const Node& from);

  Node root_;
  std::size_t nodes_ = 0;
};

}  // namespace mbu::ingest
