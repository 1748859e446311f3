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
    std::size_t depth = 0;
    std::vector<std::string> names;  // what was there before, sorted
    std::vector<bool> known;         // of names: those the snapshot has
  };

  void walk(Level& level, const ChunkId& directory);
  void page(Level& level, format::Page&& page);
  void subdirectory(Level& level, const format::Entry& entry);
  void leaf(Level& level, format::Entry&& entry, const format::Page& page);
  void special(Level& level, const FileTask& task);
  void make_special_at(int directory, const FileTask& task);
  [[nodiscard]] std::string set_special(int directory, const std::string& name, const FileTask& task);
  void touch_special(int directory, const FileTask& task);
  void extras(Level& level);
  // The rules of --delete.
  [[nodiscard]] Removal removal(bool dry_run) const;

  // Makes the directory in the target unless that was done; false when nothing can be restored into it.
  bool ensure(Level& level);
  [[nodiscard]] bool make_directory(Level& level);
  void enter_existing(Level& level, os::Fd fd);
  void list_existing(Level& level, int fd);
  // What has the name in the target, which the snapshot knows.
  [[nodiscard]] std::optional<os::FileStatus> look(Level& level, const std::string& name);
  // Takes what is in the way away, if that is permitted and possible.
  [[nodiscard]] bool clear_way(Level& level, const format::Entry& entry, const os::FileStatus& there);

  [[nodiscard]] bool selected(const std::string& path) const;

  Run& run_;
  Batch& batch_;
  const format::Snapshot& snapshot_;
  tree::TreeReader reader_;
  Spared spared_;
  source::PatternList includes_;
  source::PatternList excludes_;
};

}  // namespace mbu::ops
