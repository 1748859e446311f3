// What an operation tells while it runs. Plain values and one interface.
#pragma once

#include <cstdint>
#include <string>

namespace mbu {

struct Progress {
  std::uint64_t files_done = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t files_total = 0;  // as far as known; grows while a tree is walked
  std::uint64_t bytes_total = 0;
  bool totals_final = false;      // the totals will not grow any more
  std::string current;            // a path being worked on, raw bytes
  // Of those done; a restore only. The others were there already, must stay or failed.
  std::uint64_t files_restored = 0, bytes_restored = 0;
  std::uint64_t files_unchanged = 0, bytes_unchanged = 0;
};

// Something about one file that makes the result incomplete.
struct Problem {
  enum class Kind {
    unreadable,      // could not be read: not in the snapshot
    changed,         // changed while it was read: in the snapshot, perhaps torn
    kept,            // restore: an existing file that is newer or must not be replaced was left alone
    not_restored,    // restore: could not be written, or its metadata could not be set
    damaged,         // its data or a page of its directory is damaged or missing in the repository
  };
  Kind kind = Kind::unreadable;
  std::string path;     // raw bytes; for damage of an object: "data/ab/…"
  std::string message;  // what happened, lower case
};

// Implementations must be callable from any thread; calls are serialised by the caller. Must not throw.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void progress(const Progress&) {}         // at most some ten times a second
  virtual void problem(const Problem&) {}
  virtual void warning(const std::string& /*text*/) {}  // worth knowing, changes no result
  virtual void note(const std::string& /*text*/) {}     // shown with -v
};

}  // namespace mbu
