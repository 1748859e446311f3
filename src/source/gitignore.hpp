// IgnoreRules: the rules of one .gitignore file, chained to those of the directories above it (gitignore(5)).
//
// The deepest file with a rule that matches decides, in it the last such rule. What lies in an ignored directory is not asked
// about: whoever walks does not enter it, so nothing in there comes back. Where git and its documentation disagree, the
// documentation counts: `**` beside other characters of a name is an ordinary `*`. Immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/glob.hpp"

namespace mbu::source {

class IgnoreRules {
 public:
  // `text`: the file's bytes, whatever they are: a malformed line is a rule that matches nothing. `directory`: absolute path
  // of the directory it lies in. `above`: the rules of directories above it, or null. Never null.
  [[nodiscard]] static std::shared_ptr<const IgnoreRules> parse(std::string_view text, std::string directory,
                                                                std::shared_ptr<const IgnoreRules> above);
  // `path`: absolute, below the directory of these rules.
  [[nodiscard]] bool ignores(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    PathGlob glob;
    bool name_only;  // asks for the last component alone, at any depth
    bool directories_only;
    bool takes_back;
  };
  enum class Verdict { none, ignored, taken_back };

  void add_line(std::string_view line);
  [[nodiscard]] Verdict judge(std::string_view path, bool is_directory) const;

  std::string directory_;
  std::shared_ptr<const IgnoreRules> above_;
  std::vector<Rule> rules_;
};

}  // namespace mbu::source
