#include "source/gitignore.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mbu::source {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Spaces at the end count only behind a backslash.
std::string_view trim_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      end = std::min(++at + 1, line.size());
    } else if (line[at] != ' ') {
      end = at + 1;
    }
  }
  return line.substr(0, end);
}

bool is_double_star(std::string_view component) {
  return component.size() >= 2 && component.find_first_not_of('*') == std::string_view::npos;
}

// Nothing when malformed.
std::optional<PathGlob> compile_path(std::string_view pattern, bool name_only) {
  const auto components = split_git_pattern(pattern);
  if (!components) return std::nullopt;
  std::vector<std::optional<Glob>> steps;
  for (const auto& component : *components) {
    const bool crosses = !name_only && is_double_star(component);
    const bool last = &component == &components->back();
    // At the end it stands for what is inside, so for one component at least.
    if (!crosses || last) {
      auto glob = Glob::compile(component, Dialect::git);
      if (!glob) return std::nullopt;
      steps.push_back(std::move(glob));
    }
    if (crosses) steps.emplace_back();
  }
  return PathGlob(std::move(steps), PathGlob::End::at_path);
}

}  // namespace

std::shared_ptr<const IgnoreRules> IgnoreRules::parse(std::string_view text, std::string directory,
                                                      std::shared_ptr<const IgnoreRules> above) {
  const auto rules = std::make_shared<IgnoreRules>();
  rules->directory_ = std::move(directory);
  if (!rules->directory_.ends_with('/')) rules->directory_ += '/';
  rules->above_ = std::move(above);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    rules->add_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rules;
}

void IgnoreRules::add_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) return;
  line = trim_trailing_spaces(line);
  const bool takes_back = line.starts_with('!');
  if (takes_back) line.remove_prefix(1);
  const bool directories_only = line.ends_with('/');
  if (directories_only) line.remove_suffix(1);
  if (line.empty()) return;
  const bool name_only = line.find('/') == std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  auto glob = compile_path(line, name_only);
  if (glob) rules_.push_back({std::move(*glob), name_only, directories_only, takes_back});
}

IgnoreRules::Verdict IgnoreRules::judge(std::string_view path, bool is_directory) const {
  if (rules_.empty() || !path.starts_with(directory_)) return Verdict::none;
  std::vector<std::string_view> components;
  for (std::size_t start = directory_.size(); start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    components.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  if (components.empty()) return Verdict::none;
  const Components all(components);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directories_only && !is_directory) continue;
    if (!rule->glob.matches(rule->name_only ? all.last(1) : all)) continue;
    return rule->takes_back ? Verdict::taken_back : Verdict::ignored;
  }
  return Verdict::none;
}

bool IgnoreRules::ignores(std::string_view path, bool is_directory) const {
  for (const auto* rules = this; rules != nullptr; rules = rules->above_.get()) {
    const auto verdict = rules->judge(path, is_directory);
    if (verdict != Verdict::none) return verdict == Verdict::ignored;
  }
  return false;
}

}  // namespace mbu::source
