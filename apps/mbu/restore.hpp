// What `restore`, -d and a watcher's prompt share.
#pragma once

#include <string>

#include "mbu/repository.hpp"
#include "session.hpp"

namespace mbu::cli {

// Restores and shows what came of it. `arguments`: what does the same again, after the program's name.
void unpackage(Context& context, Session& session, Repository& repository, RestoreOptions options,
               const std::string& arguments);

// -d: the latest snapshot of what `given` names.
void restore_latest(Context& context, Session& session, const std::string& given);

}  // namespace mbu::cli
