#include "ingest/dirty.hpp"

namespace mbu::ingest {

const Dirty::Node* Dirty::Node::child(std::string_view name) const {
  const auto found = children.find(name);
  return found == children.end() ? nullptr : found->second.get();
}

void Dirty::add(std::string_view directory, Scope scope) {
  Node* node = &root_;
  while (!node->subtree) {
    const auto begin = directory.find_first_not_of('/');
    if (begin == std::string_view::npos) {
      node->entries = true;
      if (scope == Scope::subtree) {
        node->subtree = true;
        node->children.clear();  // nodes_ stays an upper bound
      }
      break;
    }
    directory.remove_prefix(begin);
    const auto name = directory.substr(0, directory.find('/'));
    directory.remove_prefix(name.size());
    auto found = node->children.find(name);
    if (found == node->children.end()) {
      found = node->children.emplace(name, std::make_unique<Node>()).first;
      ++nodes_;
    }
    node = found->second.get();
  }
  if (nodes_ > kMost) add_everything();
}

bool Dirty::lists(std::string_view directory) const {
  const Node* node = &root_;
  while (node != nullptr && !node->subtree) {
    const auto begin = directory.find_first_not_of('/');
    if (begin == std::string_view::npos) return node->entries;
    directory.remove_prefix(begin);
    const auto name = directory.substr(0, directory.find('/'));
    directory.remove_prefix(name.size());
    node = node->child(name);
  }
  return node != nullptr;
}

void Dirty::add_everything() {
  clear();
  root_.entries = root_.subtree = true;
}

void Dirty::clear() {
  root_ = {};
  nodes_ = 0;
}

void Dirty::merge(const Dirty& other) {
  merge(root_, other.root_);
  if (nodes_ > kMost) add_everything();
}

void Dirty::merge(Node& to, const Node& from) {
  to.entries = to.entries || from.entries;
  to.subtree = to.subtree || from.subtree;
  if (to.subtree) {
    to.children.clear();
    return;
  }
  for (const auto& [name, child] : from.children) {
    auto& mine = to.children[name];
    if (!mine) {
      mine = std::make_unique<Node>();
      ++nodes_;
    }
    merge(*mine, *child);
  }
}

}  // namespace mbu::ingest
