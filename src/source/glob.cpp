// Matching keeps one way back only: when a component after a star fails, the last star takes one byte (or directory) more. That
// is enough, since what stands between two stars is best found as far left as possible, and it bounds the work by the
// product of the lengths where trying all stars would be exponential.
#include "source/glob.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mbu::source {
namespace {

constexpr std::uint8_t byte_of(char c) noexcept { return static_cast<std::uint8_t>(c); }

using ByteSet = std::bitset<256>;

struct ParsedSet {
  ByteSet bytes;  // as listed
  bool negated;
  std::size_t end;  // behind the closing bracket
};

void add_range(ByteSet& set, char first, char last) {
  for (unsigned c = byte_of(first); c <= byte_of(last); ++c) set.set(c);
}

// One member of a class at `at`, which moves behind it; nothing when the pattern ends.
std::optional<char> take_member(std::string_view pattern, std::size_t& at) {
  if (at < pattern.size() && pattern[at] == '\\') ++at;
  if (at >= pattern.size()) return std::nullopt;
  return pattern[at++];
}

// `at` is behind the opening bracket.
std::optional<ParsedSet> parse_restic_set(std::string_view pattern, std::size_t at) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  const auto bound = [&]() -> std::optional<char> {
    if (at < pattern.size() && (pattern[at] == '-' || pattern[at] == ']')) return std::nullopt;
    return take_member(pattern, at);
  };
  ByteSet set;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return ParsedSet{set, negated, at + 1};
    const auto low = bound();
    if (!low) return std::nullopt;
    auto high = low;
    if (at < pattern.size() && pattern[at] == '-') {
      ++at;
      high = bound();
      if (!high) return std::nullopt;
    }
    add_range(set, *low, *high);
  }
  return std::nullopt;
}

struct NamedSet {
  std::string_view name;
  bool (*holds)(unsigned c);
};

constexpr bool is_upper(unsigned c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(unsigned c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(unsigned c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(unsigned c) { return is_upper(c) || is_lower(c) || is_digit(c); }
constexpr bool is_graph(unsigned c) { return c > ' ' && c < 0x7f; }

constexpr std::array kNamedSets = std::to_array<NamedSet>({
    {"alnum", is_alnum},
    {"alpha", [](unsigned c) { return is_upper(c) || is_lower(c); }},
    {"blank", [](unsigned c) { return c == ' ' || c == '\t'; }},
    {"cntrl", [](unsigned c) { return c < ' ' || c == 0x7f; }},
    {"digit", is_digit},
    {"graph", is_graph},
    {"lower", is_lower},
    {"print", [](unsigned c) { return c == ' ' || is_graph(c); }},
    {"punct", [](unsigned c) { return is_graph(c) && !is_alnum(c); }},
    {"space", [](unsigned c) { return c == ' ' || (c >= '\t' && c <= '\r'); }},
    {"upper", is_upper},
    {"xdigit", [](unsigned c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }},
});

enum class Named { added, no_name, unknown };

// `[:name:]` at `at`, which moves behind it when it is one.
Named take_named_set(std::string_view pattern, std::size_t& at, ByteSet& set) {
  if (!pattern.substr(at).starts_with("[:")) return Named::no_name;
  const auto close = pattern.find(']', at + 2);
  if (close == std::string_view::npos) return Named::unknown;
  if (close < at + 3 || pattern[close - 1] != ':') return Named::no_name;
  const auto name = pattern.substr(at + 2, close - at - 3);
  const auto found = std::ranges::find(kNamedSets, name, &NamedSet::name);
  if (found == kNamedSets.end()) return Named::unknown;
  for (unsigned c = 0; c < 256; ++c) {
    if (found->holds(c)) set.set(c);
  }
  at = close + 1;
  return Named::added;
}

std::optional<ParsedSet> parse_git_set(std::string_view pattern, std::size_t at) {
  const bool negated = at < pattern.size() && (pattern[at] == '^' || pattern[at] == '!');
  if (negated) ++at;
  ByteSet set;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return ParsedSet{set, negated, at + 1};
    const auto named = take_named_set(pattern, at, set);
    if (named == Named::unknown) return std::nullopt;
    if (named == Named::added) continue;
    const auto low = take_member(pattern, at);
    if (!low) return std::nullopt;
    set.set(byte_of(*low));  // even where the range that it begins runs backwards
    auto high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = take_member(pattern, at);
      if (!high) return std::nullopt;
    }
    add_range(set, *low, *high);
  }
  return std::nullopt;
}

std::optional<ParsedSet> parse_set(std::string_view pattern, std::size_t at, Dialect dialect) {
  return dialect == Dialect::git ? parse_git_set(pattern, at) : parse_restic_set(pattern, at);
}

}  // namespace

std::optional<Glob> Glob::compile(std::string_view pattern, Dialect dialect) {
  Glob glob;
  for (std::size_t at = 0; at < pattern.size();) {
    char c = pattern[at++];
    if (c == '*') {
      glob.add({Token::Kind::star});
    } else if (c == '?') {
      glob.add({Token::Kind::any});
    } else if (c == '[') {
      const auto set = parse_set(pattern, at, dialect);
      if (!set) return std::nullopt;
      glob.add({Token::Kind::set, 0, static_cast<std::uint32_t>(glob.sets_.size())});
      glob.sets_.push_back(set->negated ? ~set->bytes : set->bytes);
      at = set->end;
    } else {
      if (c == '\\') {
        if (at == pattern.size()) return std::nullopt;
        c = pattern[at++];
      }
      glob.add({Token::Kind::byte, byte_of(c)});
    }
  }
  glob.find_shape();
  return glob;
}

void Glob::add(Token token) {
  const bool star = token.kind == Token::Kind::star;
  if (star && !tokens_.empty() && tokens_.back().kind == Token::Kind::star) return;
  if (!star) ++least_;
  tokens_.push_back(token);
}

void Glob::find_shape() {
  const auto is_star = [](const Token& token) { return token.kind == Token::Kind::star; };
  std::span<const Token> rest(tokens_);
  const bool star_first = !rest.empty() && is_star(rest.front());
  if (star_first) rest = rest.subspan(1);
  const bool star_last = !rest.empty() && is_star(rest.back());
  if (star_last) rest = rest.first(rest.size() - 1);
  if (star_first && star_last) return;
  if (!std::ranges::all_of(rest, [](const Token& token) { return token.kind == Token::Kind::byte; })) return;
  for (const auto& token : rest) text_ += static_cast<char>(token.byte);
  if (star_first) {
    shape_ = rest.empty() ? Shape::everything : Shape::suffix;
  } else {
    shape_ = star_last ? Shape::prefix : Shape::literal;
  }
}

bool Glob::accepts(const Token& token, char c) const noexcept {
  switch (token.kind) {
    case Token::Kind::byte: return token.byte == byte_of(c);
    case Token::Kind::any: return true;
    case Token::Kind::set: return sets_[token.set][byte_of(c)];
    case Token::Kind::star: return false;
  }
  return false;
}

bool Glob::matches(std::string_view name) const noexcept {
  if (name.size() < least_) return false;
  switch (shape_) {
    case Shape::literal: return name == text_;
    case Shape::everything: return true;
    case Shape::prefix: return name.starts_with(text_);
    case Shape::suffix: return name.ends_with(text_);
    case Shape::general: return matches_tokens(name);
  }
  return false;
}

bool Glob::matches_tokens(std::string_view name) const noexcept {
  std::size_t token = 0;
  std::size_t at = 0;
  std::optional<std::pair<std::size_t, std::size_t>> way_back;  // behind the last star; where it ends so far
  while (at < name.size() || token < tokens_.size()) {
    if (token < tokens_.size() && tokens_[token].kind == Token::Kind::star) {
      way_back.emplace(++token, at);
      if (token == tokens_.size()) return true;
      continue;
    }
    if (at < name.size() && token < tokens_.size() && accepts(tokens_[token], name[at])) {
      ++token;
      ++at;
      continue;
    }
    if (!way_back || way_back->second == name.size()) return false;
    token = way_back->first;
    at = ++way_back->second;
  }
  return true;
}

PathGlob::PathGlob(std::vector<std::optional<Glob>> steps, End end) : steps_(std::move(steps)), end_(end) {
  least_ = static_cast<std::size_t>(std::ranges::count_if(steps_, [](const auto& step) { return step.has_value(); }));
}

bool PathGlob::matches(Components path) const noexcept {
  if (path.size() < least_) return false;
  std::size_t step = 0;
  std::size_t at = 0;
  std::optional<std::pair<std::size_t, std::size_t>> way_back;
  for (;;) {
    if (step == steps_.size() && (at == path.size() || end_ == End::at_path_or_above)) return true;
    if (step < steps_.size() && !steps_[step]) {
      way_back.emplace(++step, at);
      continue;
    }
    if (step < steps_.size() && at < path.size() && steps_[step]->matches(path[at])) {
      ++step;
      ++at;
      continue;
    }
    if (!way_back || way_back->second == path.size()) return false;
    step = way_back->first;
    at = ++way_back->second;
  }
}

bool PathGlob::may_match_below(Components directory) const noexcept {
  for (std::size_t i = 0; i < directory.size(); ++i) {
    if (i == steps_.size()) return end_ == End::at_path_or_above;
    if (!steps_[i]) return true;
    if (!steps_[i]->matches(directory[i])) return false;
  }
  return end_ == End::at_path_or_above || steps_.size() > directory.size();
}

std::optional<std::vector<std::string>> split_git_pattern(std::string_view pattern) {
  std::vector<std::string> components(1);
  for (std::size_t at = 0; at < pattern.size();) {
    std::size_t end = at + 1;
    if (pattern[at] == '\\' && end == pattern.size()) return std::nullopt;
    if (pattern[at] == '\\') ++end;
    if (pattern[at] == '[') {
      const auto set = parse_git_set(pattern, at + 1);
      if (!set) return std::nullopt;
      end = set->end;
    }
    const auto piece = pattern.substr(at, end - at);
    if (piece == "/" || piece == "\\/") {
      components.emplace_back();
    } else {
      components.back() += piece;
    }
    at = end;
  }
  return components;
}

}  // namespace mbu::source
