// State: what this machine has seen of a repository and no store can tell it again: which instance it is, the chain of what it
// published, which objects it knows to exist. Losing it makes nothing wrong, but rollbacks and losses are then noticed later.
//
// Plain text files, replaced atomically, several processes at once. With an empty directory name nothing is remembered and every
// run is an instance of its own.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "os/file.hpp"

namespace mbu::cache {

class State {
 public:
  // `directory`: of all repositories' states. Made when missing; one that cannot be made is as good as none.
  // `credential`: names the one used, when it is not the owner's: an instance is one machine's use of one credential. `location`: where the repository is
  // this time; a copy of it elsewhere may show more or less.
  State(const std::string& directory, const RepositoryId& repository, const std::string& credential = {}, const std::string& location = {});

  [[nodiscard]] const InstanceId& instance() const noexcept { return instance_; }
  // Of this repository; empty: nothing is remembered.
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

  // The end of this instance's chain.
  struct Link {
    std::uint64_t number = 0;
    ObjectName name;
  };

  // Holds the chain while one publishes: taken before the number is known, released when it goes.
  class Publication {
   public:
    // Whose chain it is: this machine's instance, or one of its own when no chain can be kept.
    [[nodiscard]] const InstanceId& instance() const noexcept { return instance_; }
    // What the new object must name as its predecessor; nothing: it is the first.
    [[nodiscard]] const std::optional<Link>& previous() const noexcept { return previous_; }
    // Before the object is published (throws when it cannot be noted), and after it was (never throws).
    void announce(const Link& next);
    void confirm(const Link& next);

   private:
    friend class State;
    InstanceId instance_;
    std::string file_;
    os::Fd lock_;
    std::optional<Link> previous_;
  };
  // `exists`: whether a snapshot is in the store, for a run that was killed between announcing and confirming.
  [[nodiscard]] Publication publish(const std::function<bool(const ObjectName&)>& exists);

  // Another instance from now on: for who finds objects of this one in the store that the state knows nothing of. Never throws.
  void renew_instance();

  // Paths of objects ("snapshots/ab…", "keys/…", "state/…", "data/ab/ab…") that were seen at any location, and at this one.
  [[nodiscard]] std::set<std::string> seen() const;
  [[nodiscard]] std::set<std::string> seen_here() const;
  // As seen here.
  void remember(const std::vector<std::string>& object_paths);
  // The file that holds what was seen here.
  [[nodiscard]] std::string memory() const;

  // Which repository was last seen at a location, for all repositories of this machine.
  static void remember_location(const std::string& directory, const std::string& location, const RepositoryId& id);
  [[nodiscard]] static std::optional<RepositoryId> remembered_at(const std::string& directory,
                                                                 const std::string& location);
  // What seen() would say, without making a state where there is none.
  [[nodiscard]] static std::set<std::string> seen_in(const std::string& directory, const RepositoryId& id);

 private:
  std::string directory_;  // of this repository; empty: none
  std::string location_;   // shortened to a name for a file
  InstanceId instance_;
};

}  // namespace mbu::cache
