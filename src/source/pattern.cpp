#include "source/pattern.hpp"

#include <algorithm>
#include <array>
#include <memory_resource>
#include <optional>
#include <utility>

#include "mbu/types/error.hpp"
#include "source/fold.hpp"

namespace mbu::source {
namespace {

// Cuts a path at its slashes without a heap allocation unless it is unusually deep: this runs once for every file.
class SplitPath {
 public:
  explicit SplitPath(std::string_view path) {
    components_.reserve(kUsualDepth);
    for (std::size_t start = 0; start < path.size();) {
      const auto end = std::min(path.find('/', start), path.size());
      if (end > start) components_.push_back(path.substr(start, end - start));
      start = end + 1;
    }
  }
  [[nodiscard]] Components components() const noexcept { return components_; }

 private:
  static constexpr std::size_t kUsualDepth = 32;
  std::array<std::byte, kUsualDepth * sizeof(std::string_view)> room_;
  std::pmr::monotonic_buffer_resource memory_{room_.data(), room_.size()};
  std::pmr::vector<std::string_view> components_{&memory_};
};

// Components of a pattern as restic cleans them: no empty ones, no ".", and ".." undoes what stands before it.
std::vector<std::string_view> clean_components(std::string_view pattern, bool anchored) {
  std::vector<std::string_view> clean;
  const SplitPath split(pattern);
  for (const auto component : split.components()) {
    if (component == ".") continue;
    const bool undoes = component == ".." && !clean.empty() && clean.back() != "..";
    if (undoes) {
      clean.pop_back();
    } else if (component != ".." || !anchored) {
      clean.push_back(component);
    }
  }
  return clean;
}

// Nothing when `pattern` names nothing at all. `given`: as the user wrote it.
std::optional<PathGlob> compile_pattern(std::string_view pattern, std::string_view given) {
  const bool anchored = pattern.starts_with('/');
  const auto components = clean_components(pattern, anchored);
  if (components.empty() && !anchored) return std::nullopt;
  std::vector<std::optional<Glob>> steps;
  if (!anchored) steps.emplace_back();  // at any depth
  for (const auto component : components) {
    if (component == "**") {
      steps.emplace_back();
      continue;
    }
    auto glob = Glob::compile(component, Dialect::restic);
    if (!glob) {
      throw Error(Code::usage, "is not a pattern", std::string(given),
                  "close every [ and write \\[ or \\\\ for the characters themselves");
    }
    steps.push_back(std::move(glob));
  }
  return PathGlob(std::move(steps), PathGlob::End::at_path_or_above);
}

}  // namespace

PatternList PatternList::compile(const std::vector<std::string>& patterns, Case fold) {
  PatternList list;
  list.fold_ = fold;
  for (const std::string_view given : patterns) {
    const bool takes_back = given.starts_with('!');
    const auto named = given.substr(takes_back ? 1 : 0);
    auto glob = compile_pattern(fold == Case::ignored ? to_lower(named) : std::string(named), named);
    if (glob) list.rules_.push_back({std::move(*glob), takes_back});
  }
  return list;
}

bool PatternList::matches(std::string_view absolute_path) const {
  if (rules_.empty()) return false;
  const std::string lower = fold_ == Case::ignored ? to_lower(absolute_path) : std::string();
  const SplitPath path(fold_ == Case::ignored ? lower : absolute_path);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->glob.matches(path.components())) return !rule->takes_back;
  }
  return false;
}

bool PatternList::may_match_below(std::string_view directory) const {
  const std::string lower = fold_ == Case::ignored ? to_lower(directory) : std::string();
  const SplitPath path(fold_ == Case::ignored ? lower : directory);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    // What is taken back with all below it leaves earlier patterns nothing to match.
    if (rule->takes_back && rule->glob.matches(path.components())) return false;
    if (!rule->takes_back && rule->glob.may_match_below(path.components())) return true;
  }
  return false;
}

}  // namespace mbu::source
