// Walker: through a snapshot's tree and the target's together, deciding for each name what is to be done; private to restore/.
#pragma once

#include "format/snapshot.hpp"
#include "ops/restore/batch.hpp"
#include "ops/restore/places.hpp"
#include "ops/restore/spared.hpp"
#include "source/pattern.hpp"

namespace mbu::ops {

class Walker {
 public:
  // `own_directories`: mbu's own, which --delete spares.
  Walker(Run& run, Batch& batch, const format::Snapshot& snapshot, const std::vector<std::string>& own_directories);

  // The target takes what the directory holds; `entry`: whose metadata the target gets, or null.
  void tree(const std::shared_ptr<Directory>& target, const ChunkId& directory, const format::Entry* entry);
  // The target takes one file.
  void file(const std::shared_ptr<Directory>& target, tree::TreeReader::Found found);

 private:
  // A directory on the way down.
  struct Level {
    enum class State { unmade, ready, blocked };
    std::shared_ptr<Directory> directory;
    const format::Entry* entry = nullptr;  // null: no metadata to set
    Level* parent = nullptr;
    State state = State::unmade;
    bool included = false;   // by the patterns, with all below but what they exclude
    bool covered = false;    // all there was in it was asked for, so that what the snapshot lacks was not there
    bool incomplete = false; // its listing is damaged: what it lacks is not known
    bool mounted = false;    // another file system than the target's, where nothing is removed
    std::uint64_t device = 0;
    std::size_t depth = 0;
    std::vector<std::string> names;  // what was there before, sorted
    std::vector<bool> known;         // of names: those the snapshot has
  };

  void walk(Level& level, const ChunkId& directory);
  void page(Level& level, format::Page&& page);
  void subdirectory(Level& level, const format::Entry& entry);
  void leaf(Level& level, format::Entry&& entry, const format::Page& page);
  void extras(Level& level);
  // The rules of --delete.
  [[nodiscard]] Removal removal(bool dry_run) const;
  void tell_mounted(const std::string& place) const;

  // Makes the directory in the target unless that was done; false when nothing can be restored into it.
  bool ensure(Level& level);
  [[nodiscard]] bool make_directory(Level& level);
  void enter_existing(Level& level);
  void open_up(int fd, const os::FileStatus& status, os::Blame blame) const;
  void list_existing(Level& level, int fd);
  // What has the name in the target, which the snapshot knows.
  [[nodiscard]] std::optional<os::FileStatus> look(Level& level, const std::string& name);
  // Takes what is in the way away, if that is permitted and possible.
  [[nodiscard]] bool clear_way(Level& level, const format::Entry& entry, const os::FileStatus& there);

  [[nodiscard]] static std::string pattern_path(const Level& level, const std::string& name);
  [[nodiscard]] bool selected(const std::string& path) const;

  Run& run_;
  Batch& batch_;
  const format::Snapshot& snapshot_;
  tree::TreeReader reader_;
  Spared spared_;
  std::string top_;  // path in the snapshot of what becomes the target
  source::PatternList includes_;
  source::PatternList excludes_;
};

}  // namespace mbu::ops
