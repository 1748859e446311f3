#include "ops/watch/path.hpp"

#include <algorithm>

namespace mbu::ops {

std::string tidy_path(std::string_view path) {
  std::string tidy;
  while (!path.empty()) {
    const auto begin = path.find_first_not_of('/');
    if (begin == std::string_view::npos) break;
    path.remove_prefix(begin);
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    tidy += '/';
    tidy += name;
  }
  return tidy.empty() ? "/" : tidy;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (path != "/") path += '/';
  path += name;
  return path;
}

std::string parent_path(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

bool is_within(std::string_view path, std::string_view directory) noexcept {
  return directory == "/" || (path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/'));
}

WatchedPaths::WatchedPaths(const std::vector<std::string>& paths) {
  std::vector<std::string> tidy;
  for (const auto& path : paths) tidy.push_back(tidy_path(path));
  std::ranges::sort(tidy);  // what is around a path comes before it
  for (const auto& path : tidy) {
    if (around(path) == nullptr) paths_.insert(path);
  }
  for (const auto& path : paths_) {
    for (std::string at = path; at != "/"; at = parent_path(at)) steps_[parent_path(at)].insert(at.substr(at.rfind('/') + 1));
  }
}

std::vector<std::string> WatchedPaths::within(const std::string& path) const {
  std::vector<std::string> found;
  for (const auto& one : paths_) {
    if (is_within(one, path)) found.push_back(one);
  }
  return found;
}

const std::string* WatchedPaths::around(std::string_view path) const {
  const auto found = std::ranges::find_if(paths_, [&](const std::string& one) { return is_within(path, one); });
  return found == paths_.end() ? nullptr : &*found;
}

bool WatchedPaths::is_step(const std::string& directory, std::string_view name) const {
  const auto found = steps_.find(directory);
  return found != steps_.end() && found->second.contains(name);
}

std::vector<std::string> WatchedPaths::way_to(const std::string& path) {
  std::vector<std::string> way;
  for (std::string at = path; at != "/";) way.push_back(at = parent_path(at));
  std::ranges::reverse(way);
  return way;
}

}  // namespace mbu::ops
