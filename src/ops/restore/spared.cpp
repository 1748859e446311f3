#include "ops/restore/spared.hpp"

#include <fcntl.h>

namespace mbu::ops {

Spared::Spared(const format::Snapshot& snapshot, const std::vector<std::string>& own_directories)
    : complete_(snapshot.problem_count <= snapshot.problems.size()) {
  for (const auto& problem : snapshot.problems) unread_.insert(problem.path);
  for (const auto& path : own_directories) {
    // A symlink to it is left out by a backup too.
    for (const auto links : {os::Links::keep, os::Links::follow}) {
      try {
        const auto status = os::status_at(AT_FDCWD, path.c_str(), links, {Code::failed, path});
        if (status) own_.emplace(status->dev, status->ino);
      } catch (const Error&) {
        // What cannot be looked at cannot be reached to be removed either.
      }
    }
  }
}

}  // namespace mbu::ops
