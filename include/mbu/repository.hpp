// The door to a repository: everything the command line does goes through here, and other programs may too.
//
// A Repository holds unwrapped keys in locked memory for as long as it lives. Its methods may be called from one thread at a
// time; they use RepositoryOptions::threads threads of their own and return when all are done. Every method throws
// mbu::Error; what concerns single files is told through the EventSink and counted in the result instead.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mbu/types/credentials.hpp"
#include "mbu/types/options.hpp"
#include "mbu/types/results.hpp"
#include "mbu/types/watch.hpp"

namespace mbu {

class Repository {
 public:
  // Makes a repository in an empty or missing directory. Code::failed when there is one already.
  static InitResult create(RepositoryOptions&& options, const InitOptions& init);

  // Opens one: reads config, slots and statements, derives the key. Code::no_repository, wrong_password, corrupt.
  static Repository open(RepositoryOptions&& options);

  // Takes what RepositoryOptions::unlock_seconds and keep_on_desktop have kept out again; whether there was anything. Code::no_repository.
  static bool lock(const std::string& location);

  // Whether a repository lies at `location` (its config exists). Reads nothing else, asks for no password.
  [[nodiscard]] static bool exists(const std::string& location);

  // Whether this machine's state remembers a repository at `location` that is not there now (an unmounted disk).
  [[nodiscard]] static bool remembered(const std::string& location, const std::string& state_directory);

  // Whether what was copied of recovery sheets suffices to open the repository there (RepositoryOptions::recovery_sheets). Code::wrong_password, naming the
  // line that is wrong.
  [[nodiscard]] static bool is_recovery_complete(const std::string& location, const std::vector<Password>& copied);

  // check --keyless: object names against their bytes, without a password.
  static CheckReport check_keyless(const RepositoryOptions& options);

  Repository(Repository&&) noexcept;
  Repository& operator=(Repository&&) noexcept;
  ~Repository();

  [[nodiscard]] RepositoryId id() const;
  [[nodiscard]] std::string location() const;

  // Whether the owner's keys are in hand: else this can add snapshots and read nothing.
  [[nodiscard]] bool is_owner() const;
  // Code::forbidden, with what it takes, unless they are.
  void require_owner() const;

  BackupSummary backup(const BackupOptions& options);

  // One snapshot now, then one after each change, until the control says stop. Code::interrupted as backup() throws it. An error of the
  // repository ends it only before the first snapshot, after a failed sync, and when it is told to stop; else it is warned of, and tried
  // again. Unless the options keep them, the owner's keys are wiped after the first snapshot: what reads then throws Code::forbidden.
  void watch(const WatchOptions& options);

  // All snapshots that pass the filter, oldest first. Damaged ones are told as problems.
  std::vector<SnapshotInfo> snapshots(const SnapshotFilter& filter = {});
  // The snapshot that `text` names: an id prefix (ambiguous: Code::usage), "latest", "latest~N". Code::not_found.
  SnapshotInfo resolve(const std::string& text, const SnapshotFilter& filter = {});

  // Calls `visit` for `path` itself when it is no directory, else for what is in it; depth first in name order.
  // Code::not_found.
  void list(const SnapshotInfo& snapshot, const std::string& path, bool recursive,
            const std::function<void(const EntryInfo&)>& visit);

  RestoreSummary restore(const RestoreOptions& options);

  // A file's bytes, or a directory as an archive ("tar" or "zip"), in order, to `write`.
  void dump(const SnapshotInfo& snapshot, const std::string& path, const std::string& archive,
            const std::function<void(ByteView)>& write);

  DiffSummary diff(const SnapshotInfo& from, const SnapshotInfo& to,
                   const std::function<void(const DiffLine&)>& visit);

  // Says which snapshots count no longer, as the options have it, and returns what was decided. Nothing is deleted: what only these
  // snapshots need stays in the repository. Code::forbidden without the owner's keys, Code::usage when the options keep and name nothing.
  ForgetPlan forget(const ForgetOptions& options);

  // Passwords of the owner, and writers' credentials. Code::forbidden without the owner's keys, as with all that follows about them.
  std::vector<CredentialInfo> credentials();
  // Another password of the owner's. Code::usage when the name is taken.
  CredentialInfo add_password(const Password& password, const CredentialOptions& options);
  // The same, opened by a security key; its user must touch it twice. Code::failed when there is none, or it cannot do it.
  CredentialInfo add_security_key(const SecurityKey& key, const std::string& name);
  // Throws Code::usage when it was a security key that opened this repository: then there is no password to change.
  void require_password() const;
  // The password that opened this repository gives way to another; whoever copied a key before still has it.
  CredentialInfo change_password(const Password& password, const CredentialOptions& options);
  // SECRET. What opens this repository and everything that will ever be in it, for paper: four lines of 16 characters, each with its own check.
  [[nodiscard]] Password recovery_sheet();
  // SECRETS, each for another keeper: sheets of five lines, any `needed` of which together are worth recovery_sheet(), and fewer nothing. Code::usage
  // unless 2 <= needed <= made <= 255.
  [[nodiscard]] std::vector<Password> recovery_shares(unsigned needed, unsigned made);
  // A credential for a machine that adds snapshots and can read nothing, written to a file that only its owner may read. Code::usage when the
  // name is taken, Code::failed when the file exists or cannot be written: nobody is admitted then.
  CredentialInfo add_writer(const NewWriterOptions& options);
  // By name or the beginning of its id. What a removed writer adds later does not count. Code::not_found, Code::failed for the owner's last.
  CredentialInfo remove_credential(const std::string& text);

  // Everything new is named and sealed under keys of a new generation from now on, which all passwords and credentials are given; what is there
  // stays, and stays readable. Code::failed when a writer's slot is missing.
  Rotation rotate_keys();

  // Snapshots that removed writers published and their removals do not accept; and to accept some: those of a writer, by name, or the one whose id
  // begins so. Code::not_found.
  std::vector<SnapshotInfo> unaccepted();
  std::vector<SnapshotInfo> accept(const std::string& text);

  CheckReport check(const CheckOptions& options);

  // An object, decoded, as JSON text. kind: config, index, pack, snapshot, tree, slot, statement. No secrets in it.
  std::string cat(const std::string& kind, const std::string& id);

 private:
  struct Impl;
  explicit Repository(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The version of this library, e.g. "0.1.0".
[[nodiscard]] std::string version();

// Where cache and state lie by default; empty when there is no home.
[[nodiscard]] std::string default_cache_directory();
[[nodiscard]] std::string default_state_directory();

}  // namespace mbu
