// What `backup` and -o share.
#pragma once

#include <string>

#include "mbu/repository.hpp"
#include "session.hpp"

namespace mbu::cli {

// Makes the snapshot and shows what came of it. `restore_arguments`: what brings it back, after the program's name; empty:
// `restore ID`.
void package(Context& context, Session& session, Repository& repository, BackupOptions options,
             const std::string& restore_arguments);

}  // namespace mbu::cli
