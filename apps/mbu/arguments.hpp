// What the command line says, as values. Made by parse.hpp; the passwords are not in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mbu/types/options.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

struct GlobalFlags {
  std::string repository;         // -r or MBU_REPOSITORY; empty: the configured packaging directory
  std::string config;             // --config
  std::string password_file, password_command;
  int password_descriptor = -1;
  std::string credential;         // file
  bool any_kdf_cost = false;
  bool security_key = false;
  std::string security_key_device, security_key_pin_file;
  std::string cache_directory;
  bool no_cache = false;
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  bool no_progress = false;
  unsigned threads = 0;
  std::string compression;        // empty: as configured
  bool no_verify = false;
};

struct BackupFlags {
  BackupOptions options;          // all but paths, tags and stream
  std::vector<std::vector<std::string>> tags;
  std::vector<std::string> files_from, files_from_verbatim, files_from_raw;
  bool from_stdin = false;
  bool from_command = false;
  std::string stdin_filename = "stdin";
};

struct WatchFlags {
  std::optional<WatchOptions::Feed> feed;  // nothing: as configured
  std::optional<std::int64_t> settle_ms, max_delay_ms;
  bool keep_owner = false;
};

struct RestoreFlags {
  RestoreOptions options;         // all but snapshot and subpath
};

struct ListFlags {
  SnapshotFilter filter;
  std::uint64_t latest = 0;       // 0: all
  bool long_form = false;
  bool recursive = false;
};

struct DiffFlags {
  SnapshotFilter filter;
  bool metadata = false;
};

struct KeyFlags {
  std::string name, domain;
  std::string file;               // where a new credential goes
  std::string new_password_file;
  std::int64_t unlock_seconds = 8 * 3600;
  bool desktop = false;
  bool on_security_key = false;
  unsigned shares_needed = 0;     // of shares_made, of a recovery sheet; 0: it is not shared
  unsigned shares_made = 0;
  bool html = false;
  std::vector<std::string> sheets;  // files that a recovery sheet was copied into
  bool ask_password = false;
};

struct DumpFlags {
  SnapshotFilter filter;
  std::string archive = "tar";
};

// The original tool's flags; each takes a directory.
struct ShortForms {
  std::vector<std::string> package, unpackage, watch;
  [[nodiscard]] std::size_t count() const noexcept { return package.size() + unpackage.size() + watch.size(); }
};

struct Arguments {
  GlobalFlags global;
  ShortForms short_forms;
  std::string command;                  // empty: a short form, or nothing at all
  std::vector<std::string> operands;
  InitOptions init;
  bool kdf_given = false;
  BackupFlags backup;                   // of `watch`, too
  WatchFlags watch;                     // of `watch`
  RestoreFlags restore;                 // of `restore`, and of -d
  ListFlags list;
  DiffFlags diff;
  DumpFlags dump;
  KeyFlags key;
  ForgetOptions forget;                 // all but snapshots
  CheckOptions check;
};

}  // namespace mbu::cli
