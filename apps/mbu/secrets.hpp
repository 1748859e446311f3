// Passwords on the command line and in the environment can be read by others for as long as they are there. They are moved
// into locked memory and overwritten where they were, before anything is parsed.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mbu/types/password.hpp"

namespace mbu::cli {

struct TakenSecrets {
  std::vector<std::string> arguments;    // the command line without the program's name and without passwords
  std::optional<Password> given;         // -p, --password
  std::optional<Password> environment;   // MBU_PASSWORD, unless empty; no longer set
};

// `with_value`: the flags ("-r", "--repo") that take the argument after them, so that a value is never taken for -p; but what a
// short form takes is a directory, and -p after it is the flag. Arguments after "--" are left alone. Throws Code::usage when -p
// has no password.
[[nodiscard]] TakenSecrets take_secrets(int count, char** arguments, const std::set<std::string>& with_value);

}  // namespace mbu::cli
