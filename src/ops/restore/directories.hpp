// Directories of the target, by descriptor; private to restore/.
//
// A restore works in more directories than it may hold open, so that descriptors are kept for those opened last and the others are
// opened again when needed: from the target's own descriptor, strictly beneath it and through no symlink.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "os/file.hpp"

namespace mbu::ops {

// One directory being restored. All but the descriptor is written by the walking thread before anybody else sees it.
struct Directory : std::enable_shared_from_this<Directory> {
  std::string path;   // in the snapshot, absolute
  std::string place;  // from the target; empty: the target itself
  bool fresh = false;            // made by this run: nobody else's things are in it
  bool absent = false;           // a dry run would make it
  bool has_default_acl = false;  // what is made in it starts with attributes

  [[nodiscard]] std::string path_of(const std::string& name) const { return path == "/" ? path + name : path + '/' + name; }
  [[nodiscard]] std::string place_of(const std::string& name) const { return place.empty() ? name : place + '/' + name; }

 private:
  friend class Directories;
  std::shared_ptr<const os::Fd> descriptor_;
};

// Any thread.
class Directories {
 public:
  // `target`: opened; `name`: what messages call it.
  Directories(os::Fd target, std::string name) : target_(std::move(target)), name_(std::move(name)) {}

  // The directory's descriptor, to be held no longer than for work in it. Code::source when it cannot be opened.
  [[nodiscard]] std::shared_ptr<const os::Fd> open(Directory& directory);
  // Takes a descriptor that its caller has just opened.
  void adopt(Directory& directory, os::Fd fd);

  // A place as messages name it.
  [[nodiscard]] std::string display(const std::string& place) const { return place.empty() ? name_ : name_ + '/' + place; }
  [[nodiscard]] const os::Fd& target() const noexcept { return target_; }

 private:
  void keep(Directory& directory, std::shared_ptr<const os::Fd> fd);

  os::Fd target_;
  std::string name_;
  std::mutex mutex_;  // guards descriptors and opened_
  std::deque<std::weak_ptr<Directory>> opened_;  // oldest first
};

}  // namespace mbu::ops
