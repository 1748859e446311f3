// LeafStream: the leaf pages of one directory in order, one at a time, so that no directory need be in memory as a whole.
//
// Sees to what must hold across pages: levels, order of names. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/page.hpp"
#include "mbu/types/error.hpp"

namespace mbu::tree {

class TreeReader;

class LeafStream {
 public:
  // keep: a page that is damaged or missing costs what is below it, and damage() tells of the first such.
  enum class OnDamage { fail, keep };

  // `directory`: its root page; zero: nothing is in it. `path` is for messages. The reader must outlive it and may be used meanwhile.
  LeafStream(TreeReader& reader, const ChunkId& directory, std::string path, OnDamage on_damage);

  // Passes over leaves that hold no name from `first` to `last`. Before the first next().
  void limit_to(std::string first, std::string last);

  // The next leaf, nothing after the last. Code::corrupt or Code::not_found unless damage is kept.
  [[nodiscard]] std::optional<format::Page> next();

  [[nodiscard]] const std::optional<Error>& damage() const noexcept { return damage_; }

 private:
  struct Inner {
    format::Page page;
    std::size_t next = 0;
  };
  // `level`: what the page's level must be; -1 for the root, which may have any.
  struct Wanted {
    ChunkId id;
    int level;
  };
  [[nodiscard]] std::optional<Wanted> next_page();
  [[nodiscard]] bool is_wanted(const format::Page& inner, std::size_t child) const;
  [[nodiscard]] std::optional<format::Page> read(const Wanted& wanted);
  void check(const format::Page& page, int level) const;
  void meet(const Error& error);

  TreeReader& reader_;
  std::string path_;
  OnDamage on_damage_;
  std::optional<ChunkId> root_;  // until it was read
  std::optional<std::string> first_, last_;
  std::vector<Inner> above_;  // inner pages from the root to where it is
  std::string last_name_;  // of what was read so far
  bool any_ = false;
  std::string last_child_;  // the largest first name of a page that was gone to
  std::optional<Error> damage_;
};

}  // namespace mbu::tree
