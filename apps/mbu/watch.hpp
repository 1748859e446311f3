// What `watch` and -w share.
#pragma once

#include "commands.hpp"
#include "session.hpp"

namespace mbu::cli {

// Watches the paths of `options` until it is told to end: by a signal, or by `q` on the terminal.
void watch(Context& context, Session& session, Repository& repository, BackupOptions options);

}  // namespace mbu::cli
