// What `restore`, -d and a watcher's prompt share.
#pragma once

#include <string>

#include "mbu/repository.hpp"
#include "session.hpp"

namespace mbu::cli {

// Restores the snapshot, by all of the options but those that say which, and shows what came of it. `again`: the words after the program's
// name that do the same again.
void unpackage(Context& context, Session& session, Repository& repository, const SnapshotInfo& snapshot, RestoreOptions options,
               const std::string& again);

// -d: the latest snapshot of what `given` names.
void restore_latest(Context& context, Session& session, const std::string& given);

}  // namespace mbu::cli
