#include "ops/backup/backup.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "ingest/packager.hpp"
#include "ops/backup/base.hpp"
#include "ops/backup/memory.hpp"
#include "ops/backup/stream.hpp"
#include "repo/known_snapshots.hpp"
#include "os/status.hpp"
#include "repo/tombstones.hpp"
#include "source/local_source.hpp"
#include "tree/chunk_reader.hpp"

namespace mbu::ops {
namespace {

using repo::Context;
using repo::StoredSnapshot;

std::string this_host() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "";
}

// Memory for what waits to be put beside its like: of one thread at most, and of all.
constexpr std::size_t kLargestShelf = 16U << 20;
constexpr std::size_t kAllShelves = 64U << 20;

std::int64_t nanoseconds(FileTime time) { return time.seconds * 1'000'000'000 + time.nanoseconds; }

// A snapshot names the first thousand.
bool has_unnamed_problems(const format::Snapshot& snapshot) { return snapshot.problem_count > snapshot.problems.size(); }

bool same_problems(const format::Snapshot& before, const ingest::PackageResult& now) {
  if (has_unnamed_problems(before)) return true;  // as far as anybody can tell
  if (before.problem_count != now.problem_count) return false;
  std::set<std::pair<std::string, std::string>> known;
  for (const auto& problem : before.problems) known.emplace(problem.path, problem.message);
  return std::ranges::all_of(now.problems, [&](const auto& problem) { return known.contains({problem.path, problem.message}); });
}

// An index object is worth its place for so many packs of small snapshots.
constexpr std::size_t kSmallPacksForIndex = 64;

}  // namespace

class BackupSeries::Impl {
 public:
  Impl(const Context& context, const BackupOptions& options, const std::vector<std::string>& own_directories)
      : context_(context), options_(options), own_directories_(own_directories) {
    if (keyring().is_owner()) known_.emplace(context_.cache);
    begin();
    look_around();
  }

  void tell(ingest::HardLinks& hard_links) { hard_links_ = &hard_links; }

  void keep_pages() {
    if (kept_) return;
    open_kept();
    tree::ChunkReader reader(context_.vault, index_);
    kept_->fill(base_snapshot_.snapshot.root, [&](const ChunkId& id, format::BlockRole role) {
      context_.interrupt.check();
      const auto bytes = reader.read(id, role, "the last snapshot");
      return ByteBuffer(bytes.begin(), bytes.end());
    });
    kept_->write_back();
  }

  void look_again() noexcept { is_stale_ = true; }
  void select_anew() noexcept { selector_.reset(); }
  [[nodiscard]] const StoredSnapshot& last() const noexcept { return base_snapshot_; }

  void write_back() {
    if (kept_) kept_->write_back();
    if (known_) known_->write_back();
  }

  BackupSummary snapshot(const ingest::Dirty* dirty, bool skip_if_unchanged) {
    if (snapshots_made_++ > 0) begin();
    // What was listed once may be gone by now: seen to whenever everything is looked at.
    const bool everything = dirty == nullptr || dirty->is_everything();
    const bool stale = std::exchange(is_stale_, true);  // unless all goes well
    context_.vault.require_same_repository();
    const auto tombstones = repo::read_tombstones(context_.vault, [](const auto&) {});
    const bool deleting = tombstones.newest != honoured_ || tombstones.packs != tombstoned_;
    if (deleting || stale || (everything && snapshots_made_ > 1)) look_around();
    dirty_ = dirty;
    if (base_.snapshot != nullptr) summary_.parent = base_.snapshot->name;
    ingest::ChunkStore store(context_.vault, index_,
                             {.compression = context_.compression,
                              .verify = context_.verify_blocks,
                              .discard = options_.dry_run,
                              .shelf_bytes = std::min(kLargestShelf, kAllShelves / context_.threads),
                              .packs_for_index = snapshots_made_ > 1 ? kSmallPacksForIndex : ingest::ChunkStore::Options{}.packs_for_index,
                              .keep = kept_ ? [this](const ChunkId& id, ByteView bytes) { kept_->put(id, bytes); }
                                            : std::function<void(const ChunkId&, ByteView)>{},
                              .damage = context_.tell_damage()});
    std::optional<Base> given_up;  // its packs a writer cannot find again
    ingest::PackageResult packaged;
    bool knows_all = false;
    try {
      packaged = package(store);
      if (store.met_losses() || packaged.lost_previous) {
        given_up = base_;
        packaged = package_anew(store);
      }
      store.finish();
      context_.interrupt.check();
      knows_all = learn(store);
    } catch (...) {
      if (given_up) base_ = std::move(*given_up);
      throw;
    }
    if (looks_at_some()) carry_problems(packaged);
    fill_summary(packaged, store);
    const bool unchanged = base_.snapshot != nullptr && base_.snapshot->snapshot.root == packaged.root &&
                           base_.snapshot->snapshot.paths == paths_ && same_problems(base_.snapshot->snapshot, packaged);
    const bool skip = skip_if_unchanged && unchanged && base_.reusable && !store.met_losses();
    if (!options_.dry_run && !skip) publish(packaged, store);
    if (!options_.dry_run) context_.cache.commit();
    if (kept_) kept_->tidy(packaged.root);
    is_stale_ = !knows_all;
    summary_.started_ns = nanoseconds(started_);
    summary_.finished_ns = nanoseconds(system_clock().wall());
    summary_.seconds = static_cast<double>(system_clock().monotonic_ns() - start_ns_) * 1e-9;
    return summary_;
  }

 private:
  void begin() {
    started_ = system_clock().wall();
    start_ns_ = system_clock().monotonic_ns();
    summary_ = {};
  }

  [[nodiscard]] const keys::Keyring& keyring() const noexcept { return context_.vault.keyring(); }

  void open_kept() { kept_.emplace(context_.cache.open_pages(series_digest("pages"))); }

  // Names what the cache keeps of this series.
  [[nodiscard]] crypto::Digest series_digest(std::string_view what) const {
    std::string series(what);
    for (const auto& path : paths_) series += '\0' + path;
    return crypto::sha256(as_bytes(series));
  }

  // What the repository holds, what of it may be used, and what a broken run left behind.
  void look_around() {
    context_.vault.require_writable();
    if (!options_.dry_run) {
      const auto removed = context_.vault.store().clean();
      if (removed > 0) context_.events.note("removed " + std::to_string(removed) + " unfinished files of broken runs");
    }
    auto tombstones = repo::read_tombstones(context_.vault, [](const auto&) {});
    index_ = repo::ChunkIndex::load(context_.vault, context_.tell_damage(),
                                    {.tables = options_.dry_run ? nullptr : context_.cache.location_tables(keyring().own_domain().id)});
    honoured_ = tombstones.newest;  // by the index that was just loaded
    tombstoned_ = std::move(tombstones.packs);
    host_ = options_.host.empty() ? this_host() : options_.host;
    paths_ = options_.paths;
    if (options_.stream) paths_ = {stream_path()};
    std::ranges::sort(paths_);
    paths_.erase(std::unique(paths_.begin(), paths_.end()), paths_.end());
    if (keyring().is_owner()) {
      find_base();
    } else if (base_.snapshot == nullptr) {
      recall_base();
    } else {
      base_.reusable = base_.reusable && are_here(base_.packs, index_);
    }
    if (!base_.reusable) base_.packs.clear();
  }

  // The last of this series; of the first nothing is known but what the repository says.
  void find_base() {
    auto snapshots = repo::read_snapshots(context_, repo::Which::all);
    newest_.clear();
    for (const auto& stored : snapshots) {
      auto& number = newest_[stored.snapshot.instance];
      number = std::max(number, stored.snapshot.number);
    }
    const auto mine = std::ranges::find(snapshots, last_, &StoredSnapshot::name);
    base_ = mine != snapshots.end()
                ? base_of(snapshots, *mine, index_)
                : choose_base(snapshots, keyring().writer_signer().public_key(), host_, paths_, index_);
    if (base_.snapshot == nullptr) return;
    base_snapshot_ = std::move(snapshots[static_cast<std::size_t>(base_.snapshot - snapshots.data())]);
    base_.snapshot = &base_snapshot_;
  }

  // The same for who cannot read the repository: by what the cache remembers, and keeps.
  void recall_base() {
    open_kept();
    const auto series = series_digest("memory");
    memory_.emplace(context_.cache.open_pages(series), series);
    auto remembered = memory_->recall();
    if (!remembered || remembered->snapshot.paths != paths_) return;
    newest_[remembered->snapshot.instance] = remembered->snapshot.number;
    const auto here = context_.vault.store().list(store::Folder::snapshots, false);
    if (std::ranges::find(here, remembered->name, &store::Listed::name) == here.end()) return;
    base_snapshot_ = {remembered->name, keyring().writer_signer().public_key(), keyring().own_domain().id, std::move(remembered->snapshot)};
    base_.snapshot = &base_snapshot_;
    base_.packs = std::move(remembered->packs);
    base_.reusable = are_here(base_.packs, index_);
  }

  std::string stream_path() const {
    return options_.stream_name.starts_with('/') ? options_.stream_name : '/' + options_.stream_name;
  }

  ingest::PackageResult package(ingest::ChunkStore& store) {
    if (options_.stream) return package_stream(context_, store, paths_.front(), options_.stream);
    if (!selector_) selector_.emplace(options_.selection, paths_, own_directories_);
    const auto source = source::open_local_source(paths_, *selector_, never_entered());
    ingest::PackageRequest request{*source};
    request.force = options_.force && snapshots_made_ == 1;
    request.hard_links = hard_links_;
    request.selection = crypto::sha256(as_bytes(selector_->key()));
    request.remember = !options_.dry_run;
    if (base_.reusable) {
      const auto& base = base_.snapshot->snapshot;
      request.previous_root = base.root;
      if (looks_at_some()) request.dirty = dirty_;
      request.gitignore = selector_->gitignore();
      request.kept = kept_ ? &*kept_ : nullptr;
      request.previous_files = base.files;
      request.previous_directories = base.directories;
      request.previous_bytes = base.bytes;
    }
    return ingest::package_tree(context_, index_, store, request);
  }

  // Whether all but what is dirty is taken over unseen; what is dirty was said of the snapshot before in this series.
  [[nodiscard]] bool looks_at_some() const {
    return base_.reusable && base_.snapshot->name == last_ && dirty_ != nullptr && !dirty_->is_everything();
  }

  // What could not be read in directories that were not looked at is as it was: a snapshot that lacks a file has to say so itself, since
  // `restore --delete` spares what it names.
  void carry_problems(ingest::PackageResult& packaged) const {
    const auto& before = base_.snapshot->snapshot;
    std::set<std::string> told;
    for (const auto& problem : packaged.problems) told.insert(problem.path);
    for (const auto& problem : before.problems) {
      const auto directory = std::filesystem::path(problem.path).parent_path().string();
      if (dirty_->lists(directory) || told.contains(problem.path)) continue;
      ++packaged.problem_count;
      packaged.problems.push_back({Problem::Kind::unreadable, problem.path, problem.message});
    }
    packaged.problem_count += before.problem_count - before.problems.size();
  }

  // mbu's own places and the repository's folders, any of which may have another name by a bind mount.
  std::vector<std::string> never_entered() const {
    auto directories = own_directories_;
    if (const auto own = context_.vault.store().own_directory()) {
      for (const auto folder : store::kFolders) directories.push_back(*own + '/' + store::folder_name(folder));
    }
    return directories;
  }

  // The base is damaged: what was taken over from it unread, or found stored, before that was known may be lost as well. So nothing
  // of it is used, and what its damaged packs hold is stored again.
  ingest::PackageResult package_anew(ingest::ChunkStore& store) {
    base_.reusable = false;
    base_.packs.clear();
    return package(store);
  }

  void fill_summary(const ingest::PackageResult& packaged, const ingest::ChunkStore& store) {
    const auto& counts = packaged.counts;
    summary_.files_new = counts.files_new;
    summary_.files_changed = counts.files_changed;
    summary_.files_unmodified = counts.files_unmodified;
    summary_.dirs_new = counts.dirs_new;
    summary_.dirs_changed = counts.dirs_changed;
    summary_.dirs_unmodified = counts.dirs_unmodified;
    summary_.total_files = packaged.files;
    summary_.total_dirs = packaged.directories;
    summary_.total_bytes = packaged.bytes;
    summary_.bytes_read = counts.bytes_read;
    summary_.data_blobs = store.counters().data_chunks;
    summary_.tree_blobs = store.counters().page_chunks;
    summary_.data_added = store.counters().plain_bytes;
    summary_.data_added_packed = store.counters().stored_bytes;
    summary_.problems = packaged.problem_count;
  }

  // Somebody may have begun to delete what this run refers to: look again before saying that it is there. A set may have arrived that
  // another, which was here, names as the one before it: the newest is the same then.
  void check_nothing_was_tombstoned(const std::set<ObjectName>& used) const {
    const auto now = repo::read_tombstones(context_.vault, [](const auto&) {});
    for (const auto& pack : now.packs) {
      if (tombstoned_.contains(pack) || (!used.contains(pack) && !base_.packs.contains(pack))) continue;
      throw Error(Code::store, "another program began to delete packs that this run leans on", context_.vault.store().location(),
                  "run the command again");
    }
  }

  // Who published these may have been killed before they were: all but those that the base snapshot could rely on.
  void make_durable(std::vector<ObjectName> found) const {
    std::erase_if(found, [&](const ObjectName& name) { return base_.packs.contains(name); });
    context_.vault.store().make_durable(found);
  }

  void publish(const ingest::PackageResult& packaged, const ingest::ChunkStore& store) {
    auto used = store.packs_used();
    check_nothing_was_tombstoned(used);
    make_durable(store.packs_found());
    auto snapshot = describe(packaged);
    if (base_.reusable) {
      snapshot.base = base_.snapshot->name;
      std::erase_if(used, [&](const ObjectName& name) { return base_.packs.contains(name); });
    }
    snapshot.packs_added.assign(used.begin(), used.end());
    snapshot.stored_bytes = store.counters().stored_bytes;

    snapshot.finished_ns = nanoseconds(system_clock().wall());
    auto publication = take_place_in_chain();
    auto sealed = seal(snapshot, publication);
    try {
      publication.announce({snapshot.number, sealed.name});
    } catch (const Error&) {
      // A state that cannot be written is none, and no reason to lose what is stored by now.
      publication = place_of_its_own();
      sealed = seal(snapshot, publication);
    }
    store::put(context_.vault.store(), store::Folder::snapshots, sealed.bytes);
    publication.confirm({snapshot.number, sealed.name});
    std::vector<std::string> seen{store::object_path(store::Folder::snapshots, sealed.name)};
    for (const auto& pack : snapshot.packs_added) seen.push_back(store::object_path(store::Folder::packs, pack));
    context_.state.remember(seen);
    summary_.snapshot = sealed.name;
    summary_.data_added_packed += sealed.bytes.size();
    become_base(sealed.name, std::move(snapshot));
  }

  // The index knows from now on what this snapshot has stored; whether it knows all of that.
  bool learn(ingest::ChunkStore& store) {
    if (options_.dry_run) return true;
    const auto fresh = store.take_new_packs();
    index_.add(fresh.packs, fresh.indexed);
    return fresh.all;
  }

  // The next snapshot of the series is compared with this one.
  void become_base(const ObjectName& name, format::Snapshot snapshot) {
    if (!base_.reusable) base_.packs.clear();
    base_.packs.insert(snapshot.packs_added.begin(), snapshot.packs_added.end());
    auto& newest = newest_[snapshot.instance];
    newest = std::max(newest, snapshot.number);
    last_ = name;
    base_snapshot_ = {name, keyring().writer_signer().public_key(), keyring().own_domain().id, std::move(snapshot)};
    base_.snapshot = &base_snapshot_;
    base_.reusable = true;
    if (known_) known_->put(base_snapshot_);
    if (!memory_) return;
    kept_->write_back();  // what the snapshot names is on disk before it is remembered
    memory_->remember(name, base_snapshot_.snapshot);
  }

  cache::State::Publication take_place_in_chain() const {
    const auto exists = [&](const ObjectName& name) {
      const auto all = context_.vault.store().list(store::Folder::snapshots, false);
      return std::ranges::find(all, name, &store::Listed::name) != all.end();
    };
    auto publication = context_.state.publish(exists);
    // A state that was lost in part, or put back, must not give a number a second time.
    const std::uint64_t last = publication.previous() ? publication.previous()->number : 0;
    const auto newest = newest_.find(publication.instance());
    if (newest == newest_.end() || newest->second <= last) return publication;
    context_.state.renew_instance();
    publication = {};
    return context_.state.publish(exists);
  }

  // The first of a chain that nobody will continue.
  cache::State::Publication place_of_its_own() const {
    return cache::State({}, context_.vault.keyring().repository()).publish([](const ObjectName&) { return false; });
  }

  // What of the snapshot depends on its place is set by this.
  repo::SealedSnapshot seal(format::Snapshot& snapshot, const cache::State::Publication& publication) const {
    const auto& previous = publication.previous();
    snapshot.instance = publication.instance();
    snapshot.number = previous ? previous->number + 1 : 1;
    snapshot.previous = previous ? std::optional(previous->name) : std::nullopt;
    return repo::seal_snapshot(context_.vault, snapshot);
  }

  format::Snapshot describe(const ingest::PackageResult& packaged) const {
    format::Snapshot snapshot;
    snapshot.honoured = honoured_;
    snapshot.statements = context_.vault.constitution().heads;
    snapshot.time = options_.time_ns ? FileTime{floor_div(*options_.time_ns), remainder(*options_.time_ns)} : started_;
    snapshot.started_ns = nanoseconds(started_);
    snapshot.host = host_;
    snapshot.uid = ::geteuid();
    snapshot.gid = ::getegid();
    snapshot.user = os::user_name(snapshot.uid);
    snapshot.paths = paths_;
    snapshot.tags = options_.tags;
    snapshot.excludes = options_.selection.excludes;
    snapshot.program = "mbu " MBU_VERSION;
    snapshot.root = packaged.root;
    snapshot.files = packaged.files;
    snapshot.directories = packaged.directories;
    snapshot.bytes = packaged.bytes;
    snapshot.problem_count = packaged.problem_count;
    for (const auto& problem : packaged.problems) {
      if (snapshot.problems.size() == format::kMostProblems) break;
      snapshot.problems.push_back({problem.path, problem.message});
    }
    return snapshot;
  }

  static std::int64_t floor_div(std::int64_t ns) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    return ns / kSecond - (ns % kSecond < 0 ? 1 : 0);
  }
  static std::uint32_t remainder(std::int64_t ns) {
    return static_cast<std::uint32_t>(ns - floor_div(ns) * 1'000'000'000);
  }

  const Context& context_;
  const BackupOptions& options_;
  const std::vector<std::string>& own_directories_;
  FileTime started_;
  std::int64_t start_ns_ = 0;
  std::optional<source::Selector> selector_;  // the files with patterns are read once: one choice for all of a series
  const ingest::Dirty* dirty_ = nullptr;
  ingest::HardLinks* hard_links_ = nullptr;
  std::uint64_t snapshots_made_ = 0;
  bool is_stale_ = false;  // what is known of the repository
  repo::ChunkIndex index_;
  std::map<InstanceId, std::uint64_t> newest_;  // numbers of snapshots
  std::optional<ObjectName> honoured_;
  std::set<ObjectName> tombstoned_;  // packs that the index knows to be on their way out
  std::string host_;
  std::vector<std::string> paths_;
  Base base_;
  StoredSnapshot base_snapshot_;  // what it points to
  ObjectName last_;               // of this series
  std::optional<tree::KeptPages> kept_;
  std::optional<repo::KnownSnapshots> known_;  // of the owner
  std::optional<SeriesMemory> memory_;  // of who cannot read the repository
  BackupSummary summary_;
};

BackupSeries::BackupSeries(const Context& context, const BackupOptions& options, const std::vector<std::string>& own_directories)
    : impl_(std::make_unique<Impl>(context, options, own_directories)) {}
BackupSeries::BackupSeries(BackupSeries&&) noexcept = default;
BackupSeries::~BackupSeries() = default;

BackupSummary BackupSeries::snapshot(const ingest::Dirty* dirty) { return impl_->snapshot(dirty, false); }
BackupSummary BackupSeries::snapshot_if_changed(const ingest::Dirty* dirty) { return impl_->snapshot(dirty, true); }

void BackupSeries::tell(ingest::HardLinks& hard_links) { impl_->tell(hard_links); }
void BackupSeries::keep_pages() { impl_->keep_pages(); }
void BackupSeries::look_again() noexcept { impl_->look_again(); }
void BackupSeries::select_anew() noexcept { impl_->select_anew(); }
const repo::StoredSnapshot& BackupSeries::last() const noexcept { return impl_->last(); }
void BackupSeries::write_back() { impl_->write_back(); }

BackupSummary backup(const Context& context, const BackupOptions& options, const std::vector<std::string>& own_directories) {
  BackupSeries series(context, options, own_directories);
  return options.skip_if_unchanged ? series.snapshot_if_changed(nullptr) : series.snapshot(nullptr);
}

}  // namespace mbu::ops
