// Shell patterns for names and for paths, compiled once and matched often: what --exclude and .gitignore are made of.
// Names are bytes: `?` and `[…]` stand for one byte, no locale has a say. Immutable after compiling, any
// thread. Hostile patterns cost no more than the product of the lengths, for names as for paths.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mbu::source {

// Whose rules a pattern is written in. Both know `*`, `?`, `[a-z]`, `[^a]` and the backslash.
enum class Dialect {
  restic,  // as Go's filepath.Match: in a class `-` and `]` must be escaped
  git,     // as gitignore(5): also `[!a]`, `[]a]`, `[[:alpha:]]`; `\/` is a slash
};

// One component of a path.
class Glob {
 public:
  // Nothing when the pattern is malformed: a class without end, a backslash with nothing after it.
  [[nodiscard]] static std::optional<Glob> compile(std::string_view pattern, Dialect dialect);
  [[nodiscard]] bool matches(std::string_view name) const noexcept;

 private:
  using ByteSet = std::bitset<256>;
  struct Token {
    enum class Kind : std::uint8_t { byte, any, set, star } kind;
    std::uint8_t byte = 0;
    std::uint32_t set = 0;  // index into sets_
  };
  // Shapes that need no token machine: nearly every pattern is one.
  enum class Shape { literal, everything, prefix, suffix, general };

  Glob() = default;
  void add(Token token);
  void find_shape();
  [[nodiscard]] bool accepts(const Token& token, char c) const noexcept;
  [[nodiscard]] bool matches_tokens(std::string_view name) const noexcept;

  Shape shape_ = Shape::general;
  std::string text_;  // of a literal, prefix or suffix
  std::vector<Token> tokens_;
  std::vector<ByteSet> sets_;
  std::size_t least_ = 0;  // bytes that a name must have at least
};

// Components of a path, without the slashes.
using Components = std::span<const std::string_view>;

// A pattern for whole paths: components of which `**` stands for any number.
class PathGlob {
 public:
  // Where the last component of the pattern lies in the path.
  enum class End {
    at_path,           // it is the path's last
    at_path_or_above,  // or that of a directory above
  };

  PathGlob(std::vector<std::optional<Glob>> steps, End end);  // nothing: `**`
  [[nodiscard]] bool matches(Components path) const noexcept;
  // Whether something below this directory could match. Errs only towards true.
  [[nodiscard]] bool may_match_below(Components directory) const noexcept;

 private:
  std::vector<std::optional<Glob>> steps_;
  End end_;
  std::size_t least_ = 0;  // components that a path must have at least
};

// Git's pattern cut into components: at slashes that are not in a class. Nothing when malformed.
[[nodiscard]] std::optional<std::vector<std::string>> split_git_pattern(std::string_view pattern);

}  // namespace mbu::source
