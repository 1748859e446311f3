// What `restore` and -d share.
#pragma once

#include <string>

#include "mbu/repository.hpp"
#include "session.hpp"

namespace mbu::cli {

// Restores and shows what came of it. `arguments`: what does the same again, after the program's name.
void unpackage(Context& context, Session& session, Repository& repository, RestoreOptions options,
               const std::string& arguments);

}  // namespace mbu::cli
