// MountTable: where something has been mounted or unmounted, which neither inotify nor fanotify tells. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "os/file.hpp"

namespace mbu::ops {

class MountTable {
 public:
  // As it is now. Without /proc it is empty and never changes.
  MountTable();

  // Has an exceptional condition (POLLPRI) once after each change; -1: there is no /proc. Whoever polls it takes that away: ask changed().
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  // The mount points at which something else is mounted than at the last call, sorted.
  [[nodiscard]] std::vector<std::string> changed();
  // All mount points, as of the last call, sorted.
  [[nodiscard]] std::vector<std::string> points() const;

 private:
  using Mount = std::pair<std::string, std::string>;  // mount point; what is mounted there
  [[nodiscard]] std::string read() const;
  [[nodiscard]] static std::vector<Mount> parse(const std::string& text);

  os::Fd file_;
  std::string text_;
  std::vector<Mount> mounts_;  // sorted
};

}  // namespace mbu::ops
