// The watchers that run on this machine.
#pragma once

#include <string>
#include <vector>

#include "mbu/types/watch.hpp"

namespace mbu {

// What each watcher of this user says of itself that keeps its state in `state_directory` (default_state_directory()). Takes no password,
// and waits some seconds at most for one that does not answer. Any thread.
[[nodiscard]] std::vector<WatcherStatus> watchers(const std::string& state_directory);

}  // namespace mbu
