// config.toml: found, read, checked (CLI.md, "Configuration").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mbu/types/options.hpp"

namespace mbu {

struct Configuration {
  std::string source;                       // the file it was read from; empty: built-in defaults
  std::string package_directory;            // absolute, ~ expanded; empty when that needs a home and there is none
  std::string restore_directory;            // likewise
  std::string module = "repository";
  std::string compression = "default";
  std::vector<std::string> excludes;
  struct Watcher {
    std::string module = "auto";
    std::int64_t settle_ms = 300;
    std::int64_t max_delay_ms = 30'000;
    std::optional<std::int64_t> poll_interval_ms;  // nothing: "auto"
    Retention keep;                                // of its snapshots; empty: all
  } watcher;
  std::string kdf = "argon2id";
  std::vector<std::string> push;
  std::vector<std::string> warnings;        // worth telling: files that were passed over, and why
};

struct ConfigurationSearch {
  std::string given;       // --config
  std::string environment; // MBU_CONFIG
  bool write_default = true;  // write a commented default to $XDG_CONFIG_HOME/mbu/config.toml when none exists
};

// Milliseconds from "300ms", "30s", "1m30s", "2h"; nothing when `text` is no such length or longer than a year.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(const std::string& text);

// Seconds from "12h", "7d", "1y6M": numbers with the units s, min, h, d, w, M (31 days) and y (366 days); nothing when `text` is no such span.
[[nodiscard]] std::optional<std::int64_t> parse_span_s(const std::string& text);

// Code::usage names a wrong key or value and its line; a given file that is missing is Code::usage too.
[[nodiscard]] Configuration load_configuration(const ConfigurationSearch& search);

}  // namespace mbu
