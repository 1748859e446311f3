// Repository: opens the vault, the cache and the state, and hands them to the operation that is asked for.
#include "mbu/repository.hpp"

#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "api/cat.hpp"
#include "api/watch.hpp"
#include "keys/password_source.hpp"
#include "ops/backup/backup.hpp"
#include "ops/browse/browse.hpp"
#include "ops/browse/dump.hpp"
#include "ops/check/check.hpp"
#include "ops/restore/restore.hpp"
#include "os/status.hpp"
#include "repo/context.hpp"
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

std::string user_at_host() {
  char host[256] = {};
  const bool named = ::gethostname(host, sizeof host - 1) == 0;
  const auto user = os::user_name(::geteuid());
  return (user.empty() ? std::to_string(::geteuid()) : user) + '@' + (named ? host : "localhost");
}

// Opens the vault. Where no slot is left to open it, the error names those that this machine's state remembers.
std::unique_ptr<repo::Vault> open_vault(RepositoryOptions& options) {
  try {
    return repo::Vault::open(store::open_store(options.location),
                             [&] { return keys::obtain_password(options.password, false); });
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
        state(state_of(options), vault->keyring().repository()),
        cache(open_cache()),
        context{*vault,
                *cache,
                state,
                events,
                options.interrupt == nullptr ? never() : *options.interrupt,
                threads_of(options),
                options.compression,
                options.verify_blocks} {}

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

  // What was never seen of these objects before is remembered from now on.
  void remember(store::Folder folder) {
    const auto seen = state.seen();
    std::vector<std::string> fresh;
    for (const auto& listed : vault->store().list(folder, false)) {
      auto path = store::object_path(folder, listed.name);
      if (!seen.contains(path)) fresh.push_back(std::move(path));
    }
    state.remember(fresh);
  }

  std::vector<repo::StoredSnapshot> read_snapshots() {
    auto all = repo::read_snapshots(*vault, context.tell_damage(), context.threads);
    remember(store::Folder::snapshots);
    return all;
  }

  // mbu's own, those that the caller knows of among them.
  std::vector<std::string> own_directories(std::vector<std::string> own) const {
    for (const auto& directory : {vault->store().own_directory().value_or(""), options.cache_directory, default_cache_directory(),
                                  state_of(options)}) {
      if (!directory.empty()) own.push_back(directory);
    }
    return own;
  }

  repo::ChunkIndex load_index() {
    return repo::ChunkIndex::load(*vault, context.tell_damage(), cache->location_tables());
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
  impl->remember(store::Folder::keys);
  impl->remember(store::Folder::statements);
  return Repository(std::move(impl));
}

bool Repository::exists(const std::string& location) { return store::open_store(location)->read_config().has_value(); }

bool Repository::remembered(const std::string& location, const std::string& state_directory) {
  return cache::State::remembered_at(state_directory, location).has_value();
}

CheckReport Repository::check_keyless(const RepositoryOptions& options) {
  const auto store = store::open_store(options.location);
  return ops::check_names(*store, threads_of(options), options.interrupt == nullptr ? never() : *options.interrupt);
}

RepositoryId Repository::id() const { return impl_->vault->keyring().repository(); }
std::string Repository::location() const { return impl_->vault->store().location(); }

BackupSummary Repository::backup(const BackupOptions& options) {
  return ops::backup(impl_->context, options, impl_->own_directories(options.own_directories));
}

void Repository::watch(const WatchOptions& options) {
  const std::function<void()> drop_owner = [this] { impl_->vault->drop_owner(); };
  api::watch(impl_->context, options, impl_->own_directories(options.backup.own_directories),
             options.keep_owner ? std::function<void()>{} : drop_owner);
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
  ops::list(impl_->context, impl_->load_index(), snapshot.root, path, recursive, visit);
}

RestoreSummary Repository::restore(const RestoreOptions& options) {
  const auto all = impl_->read_snapshots();
  return ops::restore(impl_->context, impl_->load_index(), repo::find_snapshot(all, options.snapshot, options.filter), options,
                      impl_->own_directories(options.own_directories));
}

void Repository::dump(const SnapshotInfo& snapshot, const std::string& path, const std::string& archive,
                      const std::function<void(ByteView)>& write) {
  ops::dump(impl_->context, impl_->load_index(), snapshot.root, path, archive, write);
}

DiffSummary Repository::diff(const SnapshotInfo& from, const SnapshotInfo& to,
                             const std::function<void(const DiffLine&)>& visit) {
  return ops::diff(impl_->context, impl_->load_index(), from.root, to.root, visit);
}

CheckReport Repository::check(const CheckOptions& options) {
  return ops::check(impl_->context, options);
}

std::string Repository::cat(const std::string& kind, const std::string& id) {
  return api::cat_object(*impl_->vault, [this] { return impl_->load_index(); }, kind, id);
}

}  // namespace mbu
