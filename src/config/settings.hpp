// What config.toml says, checked. The parser touches no file: text in, settings out; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mbu/types/options.hpp"

namespace mbu::config {

struct Settings {
  std::string package_directory;            // absolute; empty when it names a home that there is not
  std::string restore_directory;            // likewise
  std::string module = "repository";
  std::string compression = "default";
  std::vector<std::string> excludes;
  std::string watcher_module = "auto";
  std::int64_t settle_ms = 300;
  std::int64_t max_delay_ms = 30'000;
  std::optional<std::int64_t> poll_interval_ms;  // nothing: "auto"
  Retention keep;                           // of what the watcher snapshots; empty: all
  std::string kdf = "argon2id";
  std::vector<std::string> push;
};

// What paths in a file are relative to.
struct Anchors {
  std::string home;       // what "~" means; empty: there is none
  std::string directory;  // absolute: where relative paths start, the folder of the file
};

// The settings when no file says anything.
[[nodiscard]] Settings default_settings(const Anchors& anchors);

// Throws Code::usage naming `source` and the line: bad TOML, an unknown key, a value of the wrong type or out of its range.
[[nodiscard]] Settings parse_settings(std::string_view text, const std::string& source, const Anchors& anchors);

// Whether `text` is a configuration of mbu's: TOML with a [packer] table, or broken TOML with such a line.
[[nodiscard]] bool looks_like_settings(std::string_view text);

}  // namespace mbu::config
