// PatternList: what --exclude, --iexclude and --include name, in restic's language.
//
// A pattern is a row of components that must lie side by side somewhere in the path; what it matches, it matches with
// everything below. `foo/bar` so means /foo/bar, /x/foo/bar and /x/foo/bar/y. A leading slash ties it to the root, `**` stands
// for any number of components, none included; a trailing slash says nothing. `!pattern` takes back what patterns before
// it matched: the last that matches decides. Where case is ignored, patterns and paths are compared in lower case, as restic does.
// Immutable, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/glob.hpp"

namespace mbu::source {

enum class Case { sensitive, ignored };

class PatternList {
 public:
  PatternList() = default;  // matches nothing
  // Empty patterns are passed over. Throws Code::usage naming the first malformed one.
  [[nodiscard]] static PatternList compile(const std::vector<std::string>& patterns, Case fold);

  [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
  // Whether the list names this item or, by a directory above it, the item with it. `absolute_path`: from "/".
  [[nodiscard]] bool matches(std::string_view absolute_path) const;
  // The same, by the name that says what includes build on.
  [[nodiscard]] bool matches_self_or_parent(std::string_view absolute_path) const { return matches(absolute_path); }
  // Whether something below this directory could match: what includes are searched by. Errs only towards true.
  [[nodiscard]] bool may_match_below(std::string_view directory) const;

 private:
  struct Rule {
    PathGlob glob;
    bool takes_back;
  };
  Case fold_ = Case::sensitive;
  std::vector<Rule> rules_;
};

}  // namespace mbu::source
