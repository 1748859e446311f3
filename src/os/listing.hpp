// The names in a directory, through its descriptor.
#pragma once

#include <string>
#include <vector>

#include "os/file.hpp"

namespace mbu::os {

// All names but "." and "..", sorted by bytes. Reads from the directory's start; one thread at a time for one descriptor.
[[nodiscard]] std::vector<std::string> list_names(int directory, Blame blame);

// The same, of the directories in it only; a symlink to one is none.
[[nodiscard]] std::vector<std::string> list_directories(int directory, Blame blame);

}  // namespace mbu::os
