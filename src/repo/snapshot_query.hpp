// Which snapshot somebody means. Pure; any thread.
#pragma once

#include "mbu/types/options.hpp"
#include "repo/snapshots.hpp"

namespace mbu::repo {

// Whether the tags hold all of any of the lists; an empty tag in a list: that there is none.
[[nodiscard]] bool has_tags_of(const std::vector<std::vector<std::string>>& lists, const std::vector<std::string>& tags);

[[nodiscard]] bool passes(const StoredSnapshot& stored, const SnapshotFilter& filter);

// The snapshot that `text` names among `all` (oldest first): "latest", "latest~N" of those that pass the filter (the own writer's where there are
// any, else one other writer's, Code::usage when there are several), or an id prefix
// of at least one digit. Code::not_found; Code::usage when a prefix fits several.
[[nodiscard]] const StoredSnapshot& find_snapshot(const std::vector<StoredSnapshot>& all, const std::string& text,
                                                  const SnapshotFilter& filter);

[[nodiscard]] SnapshotInfo describe(const StoredSnapshot& stored);

}  // namespace mbu::repo
