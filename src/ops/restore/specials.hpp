// Specials: symlinks, FIFOs, sockets and devices into the target. Private to restore/.
#pragma once

#include "ops/restore/file_task.hpp"
#include "ops/restore/run.hpp"

namespace mbu::ops {

// One thread.
class Specials {
 public:
  explicit Specials(Run& run) : run_(run) {}

  // Makes it unless the same is there or something must stay; tells what became of it, its group of links too.
  void restore(const FileTask& task);

 private:
  [[nodiscard]] bool put_in_place(int directory, const FileTask& task);
  void make_at(int directory, const FileTask& task);
  void touch(int directory, const FileTask& task);
  [[nodiscard]] std::string set(int directory, const std::string& name, const FileTask& task, const os::FileStatus* known);
  void settle_group(const FileTask& task, int directory);

  Run& run_;
};

}  // namespace mbu::ops
