// Which config.toml counts, and the one that is written when there is none. Reads the environment's HOME and
// XDG_CONFIG_HOME; one thread.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace mbu::config {

struct Search {
  std::string given;        // --config; empty: not given
  std::string environment;  // MBU_CONFIG; empty: not set
  bool write_default = true;
};

struct Found {
  std::string path;                   // empty: built-in defaults, nowhere to write them
  Settings settings;
  std::vector<std::string> warnings;  // files passed over, and why
};

// The first that exists: given, environment, ./config.toml, $XDG_CONFIG_HOME/mbu/config.toml, /etc/mbu/config.toml.
//
// ./config.toml counts only when it has a [packer] table, belongs to the caller or root and is writable by nobody else;
// otherwise whoever may write into the working directory would decide where packages go. No key of this version is a
// command; one that comes must be ignored there.
//
// When there is none, the commented default is written to $XDG_CONFIG_HOME/mbu/config.toml, mode 0600; it is no error when
// that fails. Throws Code::usage: a given file that cannot be read, or any that is wrong inside.
[[nodiscard]] Found find_settings(const Search& search);

// The file that the first use writes.
[[nodiscard]] std::string_view default_file();

}  // namespace mbu::config
