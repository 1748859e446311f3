// What callers ask of mbu's operations. Plain values. Paths are raw bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "mbu/types/events.hpp"
#include "mbu/types/interrupt.hpp"
#include "mbu/types/password.hpp"

namespace mbu {

// zstd levels; `off` stores everything raw.
struct Compression {
  int level = 3;
  bool off = false;
};
// "off", "fast" (1), "default" (3), "max" (19) or a number from 1 to 19; nothing when `text` is none of these.
[[nodiscard]] std::optional<Compression> parse_compression(const std::string& text);

// A FIDO2 security key with the extension hmac-secret.
struct SecurityKey {
  std::string device;                       // a path, or "unix:PATH" for one behind a socket; empty: the only one that is plugged in
  std::function<Password()> ask_pin;        // null: nobody to ask
  std::function<void()> about_to_touch;     // before each wait for its user's touch; may be null
};

// Where a repository is and how to work with it. Pointers are not owned and must outlive the Repository.
struct RepositoryOptions {
  std::string location;           // a path (the only kind of store in this version)
  std::string cache_directory;    // empty: $XDG_CACHE_HOME/mbu or ~/.cache/mbu; without HOME: none
  std::string state_directory;    // empty: $XDG_STATE_HOME/mbu or ~/.local/state/mbu; without HOME: none
  bool use_cache = true;
  unsigned threads = 0;           // 0: one per processor this process may use, 32 at the most
  Compression compression;
  bool verify_blocks = true;      // open and hash each block again before its pack is published
  PasswordSources password;
  bool any_kdf_cost = false;      // stretch a password as long as a slot asks for; else more than 1 GiB, 16 passes or 100 million rounds are refused
  std::optional<SecurityKey> security_key;  // opens it instead of a password
  std::string credential_file;    // a writer's; empty: the password opens one of the repository's own slots
  bool use_kept_keys = false;     // if no source of a password is set: what `unlock_seconds` or `keep_on_desktop` has kept, before a person is asked
  // What opens the repository stays in the kernel's keyring of this login session for so long, so that nobody is asked meanwhile; 0: it does not.
  std::uint32_t unlock_seconds = 0;
  bool keep_on_desktop = false;   // the password that opens the repository goes into the desktop's secret service, where it stays
  // As Repository::recovery_sheet() or recovery_shares() made it, as many as are needed, or pieces of these in their order: instead of a password.
  std::vector<Password> recovery_sheets;
  EventSink* events = nullptr;    // null: silence
  const Interrupt* interrupt = nullptr;
};

enum class Kdf { argon2id, pbkdf2, security_key };  // the last: no password, a FIDO2 authenticator

struct InitOptions {
  Kdf kdf = Kdf::argon2id;
  std::uint32_t memory_kib = 64 * 1024;  // Argon2id; 8 MiB to 1 GiB
  std::uint32_t passes = 0;              // Argon2id passes (3 to 16) or PBKDF2 iterations (600,000 or more); 0: chosen
                                         // on this machine to take about 0.15 s
  std::string slot_name;                 // empty: user@host
};

// What of the trees is packaged. Patterns are restic's: a pattern without a leading slash matches at any depth; `*` stays
// within a name, `**` crosses; `!` takes back.
struct Selection {
  std::vector<std::string> excludes;
  std::vector<std::string> iexcludes;              // the same, ignoring case
  std::vector<std::string> exclude_files;          // files of such patterns, one a line, # comments
  std::vector<std::string> exclude_if_present;     // NAME or NAME:HEADER: a directory holding that file is left out
  bool exclude_caches = false;                     // CACHEDIR.TAG
  std::optional<std::uint64_t> exclude_larger_than;  // bytes
  bool gitignore = false;                          // honour .gitignore files
  bool one_file_system = false;
};

struct BackupOptions {
  std::vector<std::string> paths;                  // absolute after make_absolute(); at least one, or a stream
  Selection selection;
  std::vector<std::string> tags;
  std::string host;                                // empty: this machine's
  std::optional<std::int64_t> time_ns;             // of the snapshot, since 1970
  bool dry_run = false;
  bool force = false;                              // read every file again
  bool skip_if_unchanged = false;
  // Package one stream under this name instead of paths: called until it returns 0 bytes. It throws to fail.
  std::string stream_name;
  std::function<std::size_t(MutableBytes)> stream;
  std::vector<std::string> own_directories;        // beyond the repository, cache and state: the restore directory
};

struct SnapshotFilter {
  std::vector<std::string> hosts;
  std::vector<std::vector<std::string>> tags;      // all of any of these lists; an empty tag: has none
  std::vector<std::string> paths;                  // all of these
  std::vector<std::string> writers = {};           // names, or the beginnings of their public keys
};

// Which snapshots stay when others of the same group are forgotten: those that any rule or tag keeps.
struct Retention {
  enum class Every { all, hourly, daily, weekly, monthly, yearly };
  // The newest of each hour, day, Monday to Sunday, month or year of local time that has one; or all.
  struct Rule {
    Every every = Every::all;
    std::uint64_t count = std::numeric_limits<std::uint64_t>::max();      // the newest so many of these
    std::int64_t within_s = std::numeric_limits<std::int64_t>::max();     // those at most so much older than the group's newest
  };
  std::vector<Rule> rules;
  std::vector<std::vector<std::string>> tags;      // as in SnapshotFilter
  [[nodiscard]] bool empty() const noexcept { return rules.empty() && tags.empty(); }
};

struct ForgetOptions {
  std::vector<std::string> snapshots;              // id prefixes, "latest", "latest~N": these, and no rule is asked
  SnapshotFilter filter;                           // else of these
  Retention retention;                             // what rules keep; must not be empty then
  // What makes a group beside the writer, for whom nobody else speaks.
  bool by_host = true, by_paths = true, by_tags = false;
  bool dry_run = false;
};

struct RestoreOptions {
  enum class Overwrite { never, if_changed, if_newer, always };
  std::string snapshot;                            // an id prefix, "latest", "latest~N"
  SnapshotFilter filter;
  std::string subpath;                             // empty: the whole tree under its absolute path
  std::string target;                              // made when missing
  std::vector<std::string> includes;               // patterns; none: everything
  std::vector<std::string> excludes;
  Overwrite overwrite = Overwrite::if_newer;
  bool delete_extra = false;                       // remove from restored directories what the snapshot lacks
  bool verify = false;                             // read back and compare after writing
  bool restore_owner = true;
  bool dry_run = false;
  bool sync = false;                               // end with one syncfs of the target
  std::vector<std::string> own_directories;        // never deleted, as backups leave them out; as in BackupOptions
};

struct CheckOptions {
  bool read_data = false;
  double subset_percent = 100;                     // of packs, chosen at random; with read_data
  std::uint32_t subset_index = 0;                  // N of N/M, from 1; 0: none; by the pack's first byte
  std::uint32_t subset_count = 0;
  bool keyless = false;                            // names against bytes only: no password is asked
  bool arriving = false;                           // what was never seen here may still be on its way
};

}  // namespace mbu
