// FanotifyPaths: the watched paths and the directories above them as the kernel writes their paths, without symlinks. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/watch/path.hpp"

namespace mbu::ops {

class FanotifyPaths {
 public:
  // `paths` must outlive it.
  explicit FanotifyPaths(const WatchedPaths& paths) : paths_(paths) { look(); }

  // To be called when the ways to the paths may have changed. Whether they have.
  bool look();

  // The directories above watched paths that are at this real path, as the user writes them.
  [[nodiscard]] std::set<std::string> above(const std::string& real) const;
  // The same of what lies at or below watched paths.
  [[nodiscard]] std::vector<std::string> inside(std::string_view real) const;
  // The watched paths that a mount at this real path shows or hides.
  [[nodiscard]] std::set<std::string> within(std::string_view real) const;
  // The real paths of all directories above, and of the watched paths themselves.
  [[nodiscard]] std::set<std::string> all() const;
  // Watched paths that are not to be found so, for another reason than that they do not exist.
  [[nodiscard]] const std::set<std::string>& lost() const noexcept { return lost_; }

 private:
  struct Place {
    std::string written;
    std::vector<std::string> real;  // of each directory above, then its own; fewer when the way ends
    bool whole = false;
    bool operator==(const Place&) const = default;
  };
  void look(const std::string& path);

  const WatchedPaths& paths_;
  std::vector<Place> places_;
  std::map<std::string, std::set<std::string>> above_;
  std::set<std::string> lost_;
};

}  // namespace mbu::ops
