// What `watch` and -w share.
#pragma once

#include "commands.hpp"
#include "session.hpp"

namespace mbu::cli {

// Watches the paths of `options` until it is told to end: by a signal, or by `q` on the terminal. The configuration and mbu's own places
// are added to them here, and again when it reloads.
void watch(Context& context, Session& session, Repository& repository, const BackupOptions& options);

}  // namespace mbu::cli
