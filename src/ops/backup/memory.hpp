// SeriesMemory: the last snapshot of a series as the cache remembers it, for who cannot read it where it is stored. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cache/pages.hpp"
#include "repo/snapshots.hpp"

namespace mbu::ops {

class SeriesMemory {
 public:
  // `pages`: of the series that `series` names, for nothing else.
  SeriesMemory(std::unique_ptr<cache::Pages> pages, const crypto::Digest& series) : pages_(std::move(pages)), series_(series) {}

  struct Remembered {
    ObjectName name;
    format::Snapshot snapshot;
    std::set<ObjectName> packs;  // all that it needs
  };
  // Nothing when nothing whole is remembered.
  [[nodiscard]] std::optional<Remembered> recall();
  // That snapshot from now on, which was published. What it costs follows the packs that it adds, when it is based on the one before.
  void remember(const ObjectName& name, const format::Snapshot& snapshot);

 private:
  // Records have numbers where pages have ids.
  [[nodiscard]] ChunkId record(std::uint64_t number) const;

  std::unique_ptr<cache::Pages> pages_;
  crypto::Digest series_;
  std::optional<ObjectName> last_;
  std::vector<ObjectName> packs_;  // of `last_`, in the order they came
};

}  // namespace mbu::ops
