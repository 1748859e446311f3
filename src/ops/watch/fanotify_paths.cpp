#include "ops/watch/fanotify_paths.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace mbu::ops {

bool FanotifyPaths::look() {
  const auto before = std::exchange(places_, {});
  above_.clear();
  lost_.clear();
  for (const auto& path : paths_.all()) look(path);
  return places_ != before;
}

void FanotifyPaths::look(const std::string& path) {
  auto& place = places_.emplace_back(Place{path, {}, false});
  for (const auto& directory : WatchedPaths::way_to(path)) {
    std::error_code error;
    const auto real = std::filesystem::canonical(directory, error);
    if (error) {
      if (error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) lost_.insert(path);
      return;
    }
    place.real.push_back(real.native());
    above_[place.real.back()].insert(directory);
  }
  place.real.push_back(path == "/" ? path : join_path(place.real.back(), path.substr(path.rfind('/') + 1)));
  place.whole = true;
}

std::set<std::string> FanotifyPaths::above(const std::string& real) const {
  const auto found = above_.find(real);
  return found == above_.end() ? std::set<std::string>() : found->second;
}

std::vector<std::string> FanotifyPaths::inside(std::string_view real) const {
  std::vector<std::string> written;
  for (const auto& place : places_) {
    if (!place.whole || !is_within(real, place.real.back())) continue;
    const std::string_view top = place.real.back();
    const auto rest = real.substr(real == top ? real.size() : top == "/" ? 1 : top.size() + 1);
    written.push_back(rest.empty() ? place.written : join_path(place.written, rest));
  }
  return written;
}

std::set<std::string> FanotifyPaths::within(std::string_view real) const {
  std::set<std::string> written;
  for (const auto& place : places_) {
    if (std::ranges::any_of(place.real, [&](const std::string& one) { return is_within(one, real); })) written.insert(place.written);
  }
  return written;
}

std::set<std::string> FanotifyPaths::all() const {
  std::set<std::string> paths;
  for (const auto& place : places_) paths.insert(place.real.begin(), place.real.end());
  return paths;
}

}  // namespace mbu::ops
