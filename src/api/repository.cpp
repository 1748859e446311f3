// Repository: opens the vault, the cache and the state, and hands them to the operation that is asked for.
#include "mbu/repository.hpp"

#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "api/cat.hpp"
#include "api/watch.hpp"
#include "keys/desktop.hpp"
#include "keys/password_source.hpp"
#include "keys/recovery_sheet.hpp"
#include "keys/session.hpp"
#include "ops/backup/backup.hpp"
#include "ops/browse/browse.hpp"
#include "ops/browse/dump.hpp"
#include "ops/check/check.hpp"
#include "ops/credentials/credentials.hpp"
#include "ops/forget/forget.hpp"
#include "ops/restore/restore.hpp"
#include "os/status.hpp"
#include "repo/known_snapshots.hpp"
#include "repo/snapshot_query.hpp"
#include "store/store.hpp"

namespace mbu {
namespace {

constexpr unsigned kMostThreads = 32;  // by default: what keeps memory under 500 MB

unsigned threads_of(const RepositoryOptions& options) {
  if (options.threads != 0) return options.threads;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&allowed)), 1U, kMostThreads);
}

std::string state_of(const RepositoryOptions& options) {
  return options.state_directory.empty() ? default_state_directory() : options.state_directory;
}

// The same directories by the names they have below the paths: who comes by way of a link meets no others.
void add_names_below(const std::vector<std::string>& paths, std::vector<std::string>& directories) {
  const auto real = [](const std::string& path) {
    std::error_code unknown;
    const auto found = std::filesystem::weakly_canonical(path, unknown);
    return unknown ? path : found.string();
  };
  const auto given = directories;
  for (const auto& path : paths) {
    const auto target = real(path);
    if (target == path) continue;
    for (const auto& directory : given) {
      const auto place = real(directory);
      if (place.starts_with(target + '/')) directories.push_back(path + place.substr(target.size()));
    }
  }
}

std::string user_at_host() {
  char host[256] = {};
  const bool named = ::gethostname(host, sizeof host - 1) == 0;
  const auto user = os::user_name(::geteuid());
  return (user.empty() ? std::to_string(::geteuid()) : user) + '@' + (named ? host : "localhost");
}

std::unique_ptr<keys::Authenticator> authenticator_of(const SecurityKey& key, const Interrupt* interrupt) {
  return keys::open_authenticator({key.device, key.ask_pin, key.about_to_touch, interrupt});
}

// Opens the vault. Where no slot is left to open it, the error names those that this machine's state remembers.
std::unique_ptr<repo::Vault> open_vault(RepositoryOptions& options) {
  try {
    repo::Unlock unlock;
    std::optional<Password> given;
    unlock.obtain = [&] {
      auto password = keys::obtain_password(options.password, false);
      if (options.keep_on_desktop) given = password.clone();
      return password;
    };
    if (!options.credential_file.empty()) {
      unlock.credential_path = options.credential_file;
      unlock.credential = keys::read_credential_file(options.credential_file);
    }
    std::unique_ptr<keys::Authenticator> authenticator;
    if (options.security_key && options.credential_file.empty()) authenticator = authenticator_of(*options.security_key, options.interrupt);
    unlock.authenticator = authenticator.get();
    unlock.try_kept = options.use_kept_keys && !options.password.any_given();
    unlock.keep_seconds = options.unlock_seconds;
    unlock.any_kdf_cost = options.any_kdf_cost;
    unlock.recovery_sheets = std::exchange(options.recovery_sheets, {});
    auto vault = repo::Vault::open(store::open_store(options.location), unlock);
    options.password = {};  // what nobody asked for must not stay in memory either
    if (options.keep_on_desktop) {
      if (!given) throw Error(Code::usage, "the desktop keeps passwords, and it took none to open this", vault->store().location());
      keys::keep_on_desktop(vault->keyring().repository(), vault->store().location(), *given);
    }
    return vault;
  } catch (const Error& error) {
    const std::string folder = store::folder_name(store::Folder::keys) + '/';
    if (error.code() != Code::corrupt || error.subject() != folder) throw;
    std::string missing;
    if (const auto id = cache::State::remembered_at(state_of(options), options.location)) {
      for (const auto& path : cache::State::seen_in(state_of(options), *id)) {
        if (path.starts_with(folder)) missing += (missing.empty() ? "" : ", ") + path;
      }
    }
    if (missing.empty()) throw;
    throw Error(Code::corrupt, "is missing: it was here before, and without a slot no password can open this repository", missing,
                error.next());
  }
}

// What this session or the desktop keeps to open the repository; whether there was anything.
bool drop_kept(const RepositoryId& repository) {
  const bool session = keys::drop_from_session(repository);
  return keys::drop_from_desktop(repository) || session;
}

const Interrupt& never() {
  static const Interrupt interrupt;
  return interrupt;
}

}  // namespace

struct Repository::Impl {
  Impl(RepositoryOptions&& given, std::unique_ptr<repo::Vault> opened)
      : options(std::move(given)),
        vault(std::move(opened)),
        events(options.events),
        state(state_of(options), vault->keyring().repository(), credential_name(), real_location()),
        cache(open_cache()),
        context{*vault,
                *cache,
                state,
                events,
                options.interrupt == nullptr ? never() : *options.interrupt,
                threads_of(options),
                options.compression,
                options.verify_blocks} {}

  // A writer's; empty for the owner.
  std::string credential_name() const {
    const auto& keyring = vault->keyring();
    return keyring.is_owner() ? "" : keyring.writer_signer().public_key().hex().substr(0, 16);
  }

  // Whatever links lead there.
  std::string real_location() const {
    std::error_code unknown;
    const auto location = vault->store().location();
    const auto real = std::filesystem::weakly_canonical(location, unknown);
    return unknown ? location : real.string();
  }

  std::string cache_directory() const {
    if (!options.use_cache) return {};
    const auto top = options.cache_directory.empty() ? default_cache_directory() : options.cache_directory;
    return top.empty() ? top : top + '/' + vault->keyring().repository().hex();
  }

  std::unique_ptr<cache::Cache> open_cache() {
    const auto directory = cache_directory();
    if (directory.empty()) return std::make_unique<cache::Cache>();
    return std::make_unique<cache::Cache>(directory, vault->keyring().cache_key(),
                                          [this](const std::string& text) { events.warning(text); });
  }

  // What was never seen here of these objects is remembered from now on.
  void remember(const std::map<store::Folder, std::set<ObjectName>>& objects) {
    const auto seen = state.seen_here();
    std::vector<std::string> fresh;
    for (const auto& [folder, names] : objects) {
      for (const auto& name : names) {
        auto path = store::object_path(folder, name);
        if (!seen.contains(path)) fresh.push_back(std::move(path));
      }
    }
    state.remember(fresh);
  }

  // Statements and snapshots that were here before, and that nothing allows to go.
  std::vector<std::string> find_gone() const {
    const auto seen = state.seen_here();  // before the store is listed: others publish meanwhile
    std::set<std::string> here;
    for (const auto folder : {store::Folder::statements, store::Folder::snapshots}) {
      for (const auto& listed : vault->store().list(folder, false)) here.insert(store::object_path(folder, listed.name));
    }
    for (const auto& name : vault->constitution().forgotten) here.insert(store::object_path(store::Folder::snapshots, name));
    std::vector<std::string> gone;
    for (const auto& path : seen) {
      const bool lasts = path.starts_with(store::folder_name(store::Folder::statements)) || path.starts_with(store::folder_name(store::Folder::snapshots));
      if (lasts && !here.contains(path)) gone.push_back(path);
    }
    return gone;
  }

  // A store that was put back to an older state hides what came later.
  void tell_gone() {
    const auto gone = find_gone();
    if (gone.empty()) return;
    events.warning(gone.front() + (gone.size() == 1 ? " is" : " and " + std::to_string(gone.size() - 1) + " more are") +
                   " gone: this machine has seen more of the repository here than it shows now. If you have put an older copy in its place yourself, remove " +
                   state.memory());
  }

  // Keys of a generation that a credential or watcher was not given.
  void tell_old_keys() {
    const auto own = vault->keyring().own_domain().generation;
    const auto current = vault->constitution().generation;
    if (own >= current) return;
    events.warning("this credential has keys of generation " + std::to_string(own) + " only, and the current one is " + std::to_string(current) +
                   ": its backups count, under these. The owner can give it the new ones: mbu key rotate");
  }

  // user@host, or with a number behind.
  std::string free_name() const {
    const auto taken = ops::list_credentials(*vault, [](const CheckReport::Finding&) {});
    const std::string wanted = user_at_host();
    std::string name = wanted;
    for (int number = 2; std::ranges::find(taken, name, &CredentialInfo::name) != taken.end(); ++number) name = wanted + '-' + std::to_string(number);
    return name;
  }

  // What the owner's statements name, and not what somebody planted.
  void remember_keys() {
    const auto& constitution = vault->constitution();
    std::set<ObjectName> slots;
    for (const auto& listed : vault->store().list(store::Folder::keys, false)) {
      if (constitution.slots.contains(listed.name)) slots.insert(listed.name);
    }
    remember({{store::Folder::keys, std::move(slots)}, {store::Folder::statements, constitution.readable}});
  }

  std::vector<repo::StoredSnapshot> read_snapshots() {
    vault->require_owner();
    auto all = repo::read_snapshots(context, repo::Which::current);
    std::set<ObjectName> names;
    for (const auto& snapshot : all) names.insert(snapshot.name);
    remember({{store::Folder::snapshots, std::move(names)}});
    return all;
  }

  // mbu's own, those that the caller knows of among them.
  std::vector<std::string> own_directories(std::vector<std::string> own, const std::vector<std::string>& paths) const {
    for (const auto& directory : {vault->store().own_directory().value_or(""), options.cache_directory, default_cache_directory(),
                                  state_of(options)}) {
      if (!directory.empty()) own.push_back(directory);
    }
    add_names_below(paths, own);
    return own;
  }

  repo::ChunkIndex load_index(const DomainId& domain) {
    return repo::ChunkIndex::load(*vault, context.tell_damage(), {.domain = domain, .tables = cache->location_tables(domain)});
  }

  RepositoryOptions options;
  std::unique_ptr<repo::Vault> vault;
  SerialEvents events;
  cache::State state;
  std::unique_ptr<cache::Cache> cache;
  repo::Context context;
};

Repository::Repository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;
Repository::~Repository() = default;

InitResult Repository::create(RepositoryOptions&& options, const InitOptions& init) {
  auto store = store::open_store(options.location);
  if (store->read_config()) throw Error(Code::failed, "there is a repository already", options.location);
  const auto password = keys::obtain_password(options.password, true);
  const auto made = repo::Vault::create(std::move(store), password, init,
                                        init.slot_name.empty() ? user_at_host() : init.slot_name);
  cache::State::remember_location(state_of(options), options.location, made.id);
  return made;
}

Repository Repository::open(RepositoryOptions&& options) {
  os::raise_file_limit();
  auto vault = open_vault(options);
  auto impl = std::make_unique<Impl>(std::move(options), std::move(vault));
  cache::State::remember_location(state_of(impl->options), impl->options.location, impl->vault->keyring().repository());
  impl->tell_gone();
  impl->tell_old_keys();
  impl->remember_keys();
  return Repository(std::move(impl));
}

bool Repository::lock(const std::string& location) {
  const auto store = store::open_store(location);
  return drop_kept(repo::read_config(*store).config.repository);
}

bool Repository::exists(const std::string& location) { return store::open_store(location)->read_config().has_value(); }

bool Repository::remembered(const std::string& location, const std::string& state_directory) {
  return cache::State::remembered_at(state_directory, location).has_value();
}

bool Repository::is_recovery_complete(const std::string& location, const std::vector<Password>& copied) {
  const auto config = repo::read_config(*store::open_store(location)).config;
  return keys::read_recovery_sheets(copied, config.repository).missing.empty();
}

CheckReport Repository::check_keyless(const RepositoryOptions& options) {
  const auto store = store::open_store(options.location);
  return ops::check_names(*store, threads_of(options), options.interrupt == nullptr ? never() : *options.interrupt);
}

RepositoryId Repository::id() const { return impl_->vault->keyring().repository(); }
std::string Repository::location() const { return impl_->vault->store().location(); }

BackupSummary Repository::backup(const BackupOptions& options) {
  return ops::backup(impl_->context, options, impl_->own_directories(options.own_directories, options.paths));
}

void Repository::watch(const WatchOptions& options) {
  api::watch(impl_->context, *impl_->vault, options, impl_->own_directories(options.backup.own_directories, options.backup.paths));
}

std::vector<SnapshotInfo> Repository::snapshots(const SnapshotFilter& filter) {
  std::vector<SnapshotInfo> infos;
  for (const auto& stored : impl_->read_snapshots()) {
    if (repo::passes(stored, filter)) infos.push_back(repo::describe(stored));
  }
  return infos;
}

SnapshotInfo Repository::resolve(const std::string& text, const SnapshotFilter& filter) {
  return repo::describe(repo::find_snapshot(impl_->read_snapshots(), text, filter));
}

void Repository::list(const SnapshotInfo& snapshot, const std::string& path, bool recursive,
                      const std::function<void(const EntryInfo&)>& visit) {
  ops::list(impl_->context, impl_->load_index(snapshot.domain), snapshot.root, path, recursive, visit);
}

RestoreSummary Repository::restore(const RestoreOptions& options) {
  const auto all = impl_->read_snapshots();
  const auto& snapshot = repo::find_snapshot(all, options.snapshot, options.filter);
  return ops::restore(impl_->context, impl_->load_index(snapshot.domain), snapshot, options,
                      impl_->own_directories(options.own_directories, {}));
}

void Repository::dump(const SnapshotInfo& snapshot, const std::string& path, const std::string& archive,
                      const std::function<void(ByteView)>& write) {
  ops::dump(impl_->context, impl_->load_index(snapshot.domain), snapshot.root, path, archive, write);
}

DiffSummary Repository::diff(const SnapshotInfo& from, const SnapshotInfo& to,
                             const std::function<void(const DiffLine&)>& visit) {
  const auto index = impl_->load_index(from.domain);
  if (from.domain == to.domain) return ops::diff(impl_->context, {index, from.root}, {index, to.root}, visit);
  return ops::diff(impl_->context, {index, from.root}, {impl_->load_index(to.domain), to.root}, visit);
}

ForgetPlan Repository::forget(const ForgetOptions& options) {
  auto plan = ops::plan_forget(*impl_->vault, impl_->read_snapshots(), options);
  if (!options.dry_run) {
    ops::apply(plan, *impl_->vault);
    impl_->remember_keys();
  }
  return plan;
}

void Repository::require_owner() const { impl_->vault->require_owner(); }
void Repository::require_password() const { ops::require_password(*impl_->vault); }
bool Repository::is_owner() const { return impl_->vault->keyring().is_owner(); }

std::vector<CredentialInfo> Repository::credentials() {
  impl_->vault->require_owner();
  return ops::list_credentials(*impl_->vault, impl_->context.tell_damage());
}

Password Repository::recovery_sheet() {
  return keys::encode_recovery_sheet(impl_->vault->keyring().root(), impl_->vault->keyring().repository());
}

std::vector<Password> Repository::recovery_shares(unsigned needed, unsigned made) {
  return keys::encode_recovery_shares(impl_->vault->keyring().root(), impl_->vault->keyring().repository(), needed, made);
}

CredentialInfo Repository::add_password(const Password& password, const CredentialOptions& options) {
  auto named = options;
  if (named.name.empty()) named.name = impl_->free_name();
  const auto added = ops::add_password(*impl_->vault, password, named);
  impl_->remember_keys();
  return added;
}

CredentialInfo Repository::add_security_key(const SecurityKey& key, const std::string& name) {
  const auto authenticator = authenticator_of(key, impl_->options.interrupt);
  const auto added = ops::add_security_key(*impl_->vault, *authenticator, name.empty() ? impl_->free_name() : name);
  impl_->remember_keys();
  return added;
}

CredentialInfo Repository::change_password(const Password& password, const CredentialOptions& options) {
  auto named = options;
  if (named.name.empty()) named.name = user_at_host();
  const auto added = ops::change_password(*impl_->vault, password, named);
  impl_->remember_keys();
  try {
    drop_kept(impl_->vault->keyring().repository());  // it opens nothing any more
  } catch (const Error& error) {
    impl_->events.warning("the old password is still kept: " + std::string(error.what()));
  }
  return added;
}

CredentialInfo Repository::add_writer(const NewWriterOptions& options) {
  auto made = ops::add_writer(*impl_->vault, options);
  impl_->remember_keys();
  return made;
}

CredentialInfo Repository::remove_credential(const std::string& text) {
  const auto removed = ops::remove_credential(*impl_->vault, text);
  impl_->remember_keys();
  return removed;
}

Rotation Repository::rotate_keys() {
  for (const auto& gone : impl_->find_gone()) {
    if (!gone.starts_with(store::folder_name(store::Folder::statements))) continue;
    throw Error(Code::failed, "is gone: it may hold a later generation of keys than this repository shows", gone,
                "bring it back from a copy, or remove " + impl_->state.memory() + " if you have put an older copy in its place yourself");
  }
  auto rotation = ops::rotate(*impl_->vault);
  impl_->remember_keys();
  return rotation;
}

std::vector<SnapshotInfo> Repository::unaccepted() {
  std::vector<SnapshotInfo> infos;
  for (const auto& stored : ops::list_unaccepted(*impl_->vault)) infos.push_back(repo::describe(stored));
  return infos;
}

std::vector<SnapshotInfo> Repository::accept(const std::string& text) {
  std::vector<SnapshotInfo> infos;
  for (const auto& stored : ops::accept(*impl_->vault, text)) infos.push_back(repo::describe(stored));
  impl_->remember_keys();
  return infos;
}

CheckReport Repository::check(const CheckOptions& options) {
  impl_->vault->require_owner();
  return ops::check(impl_->context, options);
}

std::string Repository::cat(const std::string& kind, const std::string& id) {
  if (kind != "config") impl_->vault->require_owner();
  return api::cat_object(*impl_->vault, [this](const DomainId& domain) { return impl_->load_index(domain); }, kind, id);
}

}  // namespace mbu
