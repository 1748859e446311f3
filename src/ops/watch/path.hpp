// Absolute paths as feeds keep them: no slash at the end but that of "/", none doubled. Pure functions; any thread.
#pragma once

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mbu::ops {

// `path` so written. It has no "." and ".." in it.
[[nodiscard]] std::string tidy_path(std::string_view path);
// Of a directory and a name in it.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);
// What holds it; of "/": itself.
[[nodiscard]] std::string parent_path(std::string_view path);
// Whether `path` is `directory` or below it.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory) noexcept;

enum class Reach { self_and_below, below };

// Erases what is at or below `path` from a std::set or std::map by paths; erasing(iterator) is called before each. Sorted by bytes, what
// lies below a path is not right behind it ("/a", "/a-b", "/a/c") but is together.
template <class Sorted, class Erasing>
void erase_within(Sorted& sorted, const std::string& path, Reach reach, Erasing erasing) {
  const auto erase = [&](auto from, auto to) {
    while (from != to) {
      erasing(from);
      from = sorted.erase(from);
    }
  };
  const auto self = sorted.find(path);
  if (self != sorted.end() && reach == Reach::self_and_below) erase(self, std::next(self));
  const std::string below = path == "/" ? path : path + '/';
  std::string beyond = below;
  beyond.back() = '/' + 1;
  erase(path == "/" ? sorted.upper_bound(below) : sorted.lower_bound(below), sorted.lower_bound(beyond));
}

// The watched paths, and the directories on the way to them from "/".
class WatchedPaths {
 public:
  // What lies within another one of them is left out.
  explicit WatchedPaths(const std::vector<std::string>& paths);

  [[nodiscard]] const std::set<std::string>& all() const noexcept { return paths_; }
  // Those at or below `path`.
  [[nodiscard]] std::vector<std::string> within(const std::string& path) const;
  // The one that `path` is or is below; null: none.
  [[nodiscard]] const std::string* around(std::string_view path) const;
  // Whether `directory` is above a watched path.
  [[nodiscard]] bool is_above(const std::string& directory) const { return steps_.contains(directory); }
  // Whether the way to a watched path goes through that name in a directory above it.
  [[nodiscard]] bool is_step(const std::string& directory, std::string_view name) const;
  // All directories above `path`, "/" first.
  [[nodiscard]] static std::vector<std::string> way_to(const std::string& path);

 private:
  std::set<std::string> paths_;
  std::map<std::string, std::set<std::string, std::less<>>> steps_;
};

}  // namespace mbu::ops
