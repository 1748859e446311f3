// One regular file on its way into the target; private to restore/.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "format/entry.hpp"
#include "ops/restore/directories.hpp"
#include "os/status.hpp"

namespace mbu::ops {

// Names of one file, of which the first is restored and the others become links to it.
struct LinkGroup {
  enum class State { pending, done, unavailable };
  State state = State::pending;
  std::shared_ptr<Directory> directory;
  std::string name;
  std::uint64_t ino = 0, dev = 0;  // when done
  std::uint64_t old_ino = 0, old_dev = 0;  // of what the first has replaced; 0: nothing
};

struct FileTask {
  std::uint64_t number = 0;  // place in the walk
  std::shared_ptr<Directory> directory;
  format::Entry entry;
  ChunkId inline_chunk;  // of its page
  std::uint32_t inline_length = 0;
  std::optional<os::FileStatus> there;  // what has the name now
  bool replace_anyway = false;           // whatever the policy says: its content is equal
  LinkGroup* links = nullptr;           // the group it is the first name of
  const LinkGroup* linked_to = nullptr;  // the group that it may join if what has its name is equal

  [[nodiscard]] std::string path() const { return directory->path_of(entry.name); }
  [[nodiscard]] std::string place() const { return directory->place_of(entry.name); }

  enum class State { open, restored, unchanged, kept, failed };
  std::atomic<State> state{State::open};

  // Segments not yet written, and one for whoever still plans more. At 0 the file is finished.
  std::atomic<std::uint64_t> open_parts{1};

  // Below: under the mutex.
  std::mutex mutex;
  os::Fd fd;
  std::string written_name;  // empty: nothing made yet
  std::uint64_t ino = 0, dev = 0;  // of what was made
  std::optional<Error> damage;   // the repository's fault
  std::optional<Error> failure;  // the target's
  [[nodiscard]] bool lost() const noexcept { return damage || failure; }
};

}  // namespace mbu::ops
