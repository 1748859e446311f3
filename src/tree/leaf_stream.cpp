#include "tree/leaf_stream.hpp"

#include <algorithm>
#include <utility>

#include "tree/reader.hpp"

namespace mbu::tree {
namespace {

constexpr const char* kOutOfOrder = "names of it repeat or are out of order";

}  // namespace

LeafStream::LeafStream(TreeReader& reader, const ChunkId& directory, std::string path, OnDamage on_damage)
    : reader_(reader), path_(std::move(path)), on_damage_(on_damage) {
  if (!directory.is_zero()) root_ = directory;
}

void LeafStream::limit_to(std::string first, std::string last) {
  first_ = std::move(first);
  last_ = std::move(last);
}

std::optional<format::Page> LeafStream::next() {
  while (const auto wanted = next_page()) {
    auto page = read(*wanted);
    if (!page) continue;
    if (page->level > 0) {
      above_.push_back({std::move(*page)});
      continue;
    }
    if (!page->entries.empty()) {
      any_ = true;
      last_name_ = page->entries.back().name;
    }
    return page;
  }
  return std::nullopt;
}

// Pages that hold each other many times over could be gone to without end, if damage ends nothing: each child but the first, whose
// name is its parent's, must begin with a name beyond all that were gone to.
std::optional<LeafStream::Wanted> LeafStream::next_page() {
  if (root_) return Wanted{*std::exchange(root_, std::nullopt), -1};
  while (!above_.empty()) {
    auto& inner = above_.back();
    if (inner.next == inner.page.children.size()) {
      above_.pop_back();
      continue;
    }
    const std::size_t number = inner.next++;
    if (!is_wanted(inner.page, number)) continue;
    const auto& child = inner.page.children[number];
    if (number > 0 && child.first_name <= last_child_) {
      meet(Error(Code::corrupt, kOutOfOrder, path_));
      continue;
    }
    last_child_ = std::max(last_child_, child.first_name);
    return Wanted{child.id, inner.page.level - 1};
  }
  return std::nullopt;
}

bool LeafStream::is_wanted(const format::Page& inner, std::size_t child) const {
  const auto& children = inner.children;
  if (last_ && children[child].first_name > *last_) return false;
  return !first_ || child + 1 == children.size() || children[child + 1].first_name > *first_;
}

std::optional<format::Page> LeafStream::read(const Wanted& wanted) {
  try {
    auto page = reader_.page(wanted.id, path_);
    check(page, wanted.level);
    return page;
  } catch (const Error& error) {
    if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
    meet(error);
    return std::nullopt;
  }
}

void LeafStream::check(const format::Page& page, int level) const {
  if (level >= 0 && page.level != level) throw Error(Code::corrupt, "a page of it has the wrong level", path_);
  if (page.level > 0) return;
  if (page.entries.empty()) {
    if (level >= 0) throw Error(Code::corrupt, "a page of it is empty", path_);
  } else if (any_ && page.entries.front().name <= last_name_) {
    throw Error(Code::corrupt, kOutOfOrder, path_);
  }
}

void LeafStream::meet(const Error& error) {
  if (on_damage_ == OnDamage::fail) throw error;
  if (!damage_) damage_ = error;
}

}  // namespace mbu::tree
