// Closes the doors through which secrets leave a process.
#pragma once

namespace mbu::cli {

// No core dumps, no debugger but root's; a place for every standard descriptor, so that no file opened later is taken for
// standard output. Call before anything else.
void harden_process() noexcept;

}  // namespace mbu::cli
