#include "ingest/packager.hpp"

#include <algorithm>

#include "ingest/fingerprint.hpp"
#include "ingest/group_packer.hpp"
#include "ingest/large_file.hpp"
#include "ingest/work_queue.hpp"
#include "tree/builder.hpp"
#include "tree/patch.hpp"

namespace mbu::ingest {
namespace {

// Larger files are tasks of their own, so that a directory of them keeps all workers busy.
constexpr std::uint64_t kOwnTask = 1U << 20;
// Larger ones are packed by all workers together.
constexpr std::uint64_t kLargeFile = 16U << 20;
constexpr std::size_t kMostProblems = 1000;
// What waits on the way down holds its path and a descriptor, and who restores or lists has to come down as far.
constexpr std::size_t kDeepest = 2500;        // directories
constexpr std::size_t kLongestPath = 16U << 10;  // bytes

using TaskRef = std::shared_ptr<DirectoryTask>;

struct Worker {
  Worker(const repo::Context& context, const repo::ChunkIndex& index, ChunkSink& sink, chunk::Chunker chunker)
      : packer(chunker, sink), reader(context.vault, index) {}
  FilePacker packer;
  tree::TreeReader reader;
  PackageCounts counts;
};

class Packager {
 public:
  Packager(const repo::Context& context, const repo::ChunkIndex& index, ChunkStore& store,
           const PackageRequest& request)
      : context_(context),
        store_(store),
        request_(request),
        domain_(context.vault.keyring().own_domain()),
        record_key_(crypto::derive("mbu v1 fingerprint key", {crypto::view(context.vault.keyring().cache_key())})) {
    std::copy_n(record_key_.expose().begin(), entry_key_.size(), entry_key_.begin());
    const auto& c = context.vault.constitution().chunker;
    for (unsigned i = 0; i < context.threads; ++i) {
      workers_.emplace_back(context, index, store.make_sink(),
                            chunk::Chunker(domain_.gear, {c.minimum, c.normal, c.maximum}));
      workers_.back().reader.chunks().prefer(request.kept);
      workers_.back().reader.chunks().on_loss([&](const ChunkId& id, const Error& error) {
        if (store.distrust(id)) context.events.problem({Problem::Kind::damaged, error.subject(), error.happened()});
      });
    }
  }

  Packager(const Packager&) = delete;
  Packager& operator=(const Packager&) = delete;
  ~Packager() { context_.cache.end_reads(); }

  PackageResult run() {
    auto root = std::make_shared<DirectoryTask>();
    root->path = "/";
    root->previous = request_.previous_root;
    const bool only_some = request_.previous_root && request_.dirty != nullptr && !request_.dirty->is_everything() && !request_.force;
    if (only_some) {
      root->dirty = &request_.dirty->root();
      root->old = {*request_.previous_root, request_.previous_files, request_.previous_directories, request_.previous_bytes};
    }
    push_directory(root);
    run_on_threads(context_.threads, [&](unsigned number, const FirstException&) {
      queue_.work([&](const Task& task) { task(workers_[number]); });
    });
    context_.interrupt.check();
    for (const auto& worker : workers_) result_.counts += worker.counts;
    result_.lost_previous = lost_previous_;
    return std::move(result_);
  }

 private:
  using Task = std::function<void(Worker&)>;

  void push_directory(const TaskRef& d) {
    queue_.push([this, d](Worker& worker) { visit(d, worker); });
  }
  void push_group(const TaskRef& d, Group& group) {
    queue_.push([this, d, &group](Worker& worker) { finish_group(d, group, worker); });
  }

  void tell(Problem::Kind kind, const std::string& path, const std::string& message) {
    const Problem problem{kind, path, message};
    context_.events.problem(problem);
    const std::scoped_lock lock(problems_mutex_);
    ++result_.problem_count;
    if (result_.problems.size() < kMostProblems) result_.problems.push_back(problem);
  }

  void advance(std::uint64_t files, std::uint64_t bytes, const std::string& path) {
    files_done_ += files;
    bytes_done_ += bytes;
    if (!context_.events.progress_due()) return;
    context_.events.progress({files_done_, bytes_done_, files_seen_, bytes_seen_, false, path});
  }

  void visit(const TaskRef& d, Worker& worker) {
    context_.interrupt.check();
    if (d->depth > kDeepest || d->path.size() > kLongestPath) {
      const auto limit = std::to_string(kDeepest) + " directories, or its path is longer than " + std::to_string(kLongestPath) + " bytes";
      return cannot_read(d, Error(Code::source, "lies deeper than " + limit));
    }
    try {
      d->handle = d->parent ? d->parent->handle->open_directory(d->parent->items[d->position]) : request_.source.root();
    } catch (const Error& error) {
      cannot_read(d, error);
      return;
    }
    name_record(*d);
    if (d->dirty == nullptr || d->dirty->entries || !begin_patch(d, worker)) list(d, worker);
  }

  void cannot_read(const TaskRef& d, const Error& error) {
    if (error.code() != Code::source) throw error;
    tell(Problem::Kind::unreadable, d->path, error.happened());
    deliver(d, {});
  }

  void name_record(DirectoryTask& d) {
    ByteBuffer key(request_.selection.begin(), request_.selection.end());
    append(key, as_bytes(d.path));
    d.path_key = crypto::keyed_hash(record_key_, key);
  }

  // --- Only something below it is dirty: its pages are patched, and it is not listed. ---

  // False when that cannot be: it must be listed then.
  bool begin_patch(const TaskRef& d, Worker& worker) {
    look_up_record(*d);
    try {
      for (const auto& [name, below] : d->dirty->children) {
        auto item = d->handle->find(name);
        // What changed in a directory may have changed its times, which lie in the entry here.
        const bool may_differ = item && below->is_to_be_listed();
        if (may_differ && !has_recorded(*d, fingerprint(*item, system_clock().wall(), entry_key_))) return give_up_patch(*d);
        const auto old = worker.reader.find_in(d->old.page, d->path, name);
        if (!item && !old) continue;
        const bool same = item && old && item->status.type == EntryType::directory && old->entry.is_directory() &&
                          !old->entry.directory.is_zero();
        if (!same) return give_up_patch(*d);
        d->items.push_back(std::move(*item));
        d->old_children.push_back(result_of(old->entry));
      }
    } catch (const Error& error) {
      if (error.code() != Code::source && !tree::is_unreadable(error)) throw;
      return give_up_patch(*d);
    }
    d->course = Course::patched;
    d->waiting_children = d->items.size() + 1;
    for (std::size_t i = d->items.size(); i-- > 0;) push_child(d, i, d->old_children[i], d->dirty->child(d->items[i].name));
    child_done(d, worker);
    return true;
  }

  static bool give_up_patch(DirectoryTask& d) {
    d.items.clear();
    d.old_children.clear();
    return false;
  }

  void finish_patch(const TaskRef& d, Worker& worker) {
    auto now = d->old;
    std::map<std::string, tree::DirectoryPatch> patches;
    for (const auto& [position, child] : d->children) {
      const auto& old = d->old_children[position];
      if (child == old) continue;
      patches.emplace(d->items[position].name, tree::DirectoryPatch{child.page, child.files, child.directories, child.bytes});
      now.files += child.files - old.files;
      now.directories += child.directories - old.directories;
      now.bytes += child.bytes - old.bytes;
    }
    if (!patches.empty()) {
      const auto put = [&](ByteView bytes) { return worker.packer.sink().put(format::BlockRole::page, bytes); };
      try {
        now.page = tree::patch_directories(worker.reader, d->old.page, d->path, patches, domain_, put);
        if (d->parent) ++worker.counts.dirs_changed;
      } catch (const Error& error) {
        if (!tree::is_unreadable(error)) throw;
        const bool damaged = error.code() != Code::forbidden && store_.distrust(d->old.page);
        if (damaged) context_.events.problem({Problem::Kind::damaged, error.subject(), error.happened()});
        lost_previous_ = true;
        now = d->old;
      }
    }
    if (d->record && now != d->old) remember_patch(*d, now);
    deliver(d, now);
  }

  void remember_patch(DirectoryTask& d, const DirectoryResult& now) {
    if (!request_.remember) return;
    auto& record = *d.record;
    record.page = now.page;
    record.files = now.files;
    record.directories = now.directories;
    record.bytes = now.bytes;
    // Its entries are known as before; which of its subdirectories have other pages by now the next listing shall find out.
    record.fingerprint = {};
    record.child_pages.clear();
    context_.cache.put_directory(d.path_key, record);
  }

  // --- A directory is listed and compared with its record. ---

  void list(const TaskRef& d, Worker& worker) {
    try {
      d->items = d->handle->list([&](const std::string& name, const Error& error) {
        d->incomplete = true;
        tell(Problem::Kind::unreadable, child_path(*d, name), error.happened());
      });
    } catch (const Error& error) {
      cannot_read(d, error);
      return;
    }
    take_fingerprints(*d);
    look_up_record(*d);
    note_hard_links(*d);
    if (request_.gitignore && selects_anew(*d, worker.reader)) d->dirty = nullptr;
    if (!begin_comparison(d, worker)) group_up(d, worker);
  }

  // False when its listing is not the one that was recorded.
  bool begin_comparison(const TaskRef& d, Worker& worker) {
    const bool same_listing = d->dirty == nullptr && d->record && !d->incomplete && d->fingerprint != crypto::Digest{} &&
                              d->record->fingerprint == d->fingerprint;
    if (!same_listing) return false;
    std::vector<std::size_t> directories;
    for (std::size_t i = 0; i < d->items.size(); ++i) {
      if (d->items[i].status.type == EntryType::directory) directories.push_back(i);
    }
    if (directories.size() != d->record->child_pages.size()) return false;
    d->course = Course::compared;
    d->waiting_children = directories.size() + 1;
    for (std::size_t k = directories.size(); k-- > 0;) {
      const auto& page = d->record->child_pages[k];
      push_child(d, directories[k], page.is_zero() ? std::nullopt : std::optional(DirectoryResult{page}), nullptr);
    }
    child_done(d, worker);
    return true;
  }

  void take_fingerprints(DirectoryTask& d) {
    const auto now = system_clock().wall();
    std::uint64_t files = 0, bytes = 0;
    d.fingerprints.reserve(d.items.size());
    for (const auto& item : d.items) {
      d.fingerprints.push_back(fingerprint(item, now, entry_key_));
      if (item.status.type != EntryType::directory) ++files;
      if (item.status.type == EntryType::regular) bytes += item.status.size;
    }
    d.fingerprint = fingerprint(d.fingerprints, record_key_);
    files_seen_ += files;
    bytes_seen_ += bytes;
  }

  void note_hard_links(const DirectoryTask& d) const {
    if (request_.hard_links == nullptr) return;
    HardLinks::Listing listing;
    listing.directory = d.path;
    listing.everything = request_.dirty == nullptr || request_.dirty->is_everything();
    listing.holds_directory = [&items = d.items](std::string_view name) {
      const auto found = std::ranges::lower_bound(items, name, {}, [](const auto& item) { return std::string_view(item.name); });
      return found != items.end() && found->name == name && found->status.type == EntryType::directory;
    };
    for (std::size_t i = 0; i < d.items.size(); ++i) {
      const auto& status = d.items[i].status;
      if (status.nlink < 2 || status.type == EntryType::directory) continue;
      listing.names.push_back({.file = {status.dev, status.ino}, .names = status.nlink, .change = status.ctime, .changed = !is_recorded(d, i)});
    }
    request_.hard_links->listed(listing);
  }

  void look_up_record(DirectoryTask& d) {
    if (d.record || !d.previous || request_.force) return;
    auto record = context_.cache.find_directory(d.path_key);
    // A record counts only for the very page that the base snapshot has here.
    if (record && record->page == *d.previous) d.record = std::move(record);
  }

  // `old`: what it was in the base snapshot. `dirty`: what of it is to be looked at; null: all.
  void push_child(const TaskRef& d, std::size_t position, const std::optional<DirectoryResult>& old, const Dirty::Node* dirty) {
    auto child = std::make_shared<DirectoryTask>();
    child->parent = d;
    child->depth = d->depth + 1;
    child->position = position;
    child->path = child_path(*d, d->items[position].name);
    if (old) {
      child->previous = old->page;
      child->old = *old;
    }
    // Only what was packaged before can be taken over.
    child->dirty = !old || dirty == nullptr || dirty->subtree ? nullptr : dirty;
    push_directory(child);
  }

  // A subdirectory of one without groups is done, or the last of them was started.
  void child_done(const TaskRef& d, Worker& worker) {
    if (--d->waiting_children != 0) return;
    if (d->course == Course::patched) {
      finish_patch(d, worker);
    } else {
      finish_comparison(d, worker);
    }
  }

  void finish_comparison(const TaskRef& d, Worker& worker) {
    auto expected = d->record->child_pages.begin();
    bool same = true;
    for (const auto& [position, child] : d->children) same = same && child.page == *expected++;
    if (!same) {
      group_up(d, worker);
      return;
    }
    std::uint64_t files = 0, bytes = 0;
    for (const auto& item : d->items) {
      if (item.status.type == EntryType::directory) continue;
      ++files;
      if (item.status.type == EntryType::regular) bytes += item.status.size;
    }
    worker.counts.files_unmodified += files;
    if (d->parent) ++worker.counts.dirs_unmodified;
    advance(files, bytes, d->path);
    deliver(d, totals(*d, d->record->page));
  }

  // --- Its entries are grouped into leaves. ---

  void group_up(const TaskRef& d, Worker& worker) {
    tree::LeafCutter cutter(domain_);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < d->items.size(); ++i) {
      const auto& item = d->items[i];
      if (!cutter.ends_after(item.name, is_inline(item.status) ? item.status.size : 0)) continue;
      add_group(*d, begin, i + 1);
      begin = i + 1;
    }
    if (begin < d->items.size() || d->groups.empty()) add_group(*d, begin, d->items.size());
    d->waiting_groups = d->groups.size();
    // The last group goes first onto the stack, so that the first comes off it first.
    for (std::size_t i = d->groups.size(); i-- > 1;) {
      queue_.push([this, d, group = d->groups[i].get()](Worker& w) { prepare_group(d, *group, w); });
    }
    prepare_group(d, *d->groups.front(), worker);
  }

  static void add_group(DirectoryTask& d, std::size_t begin, std::size_t end) {
    auto group = std::make_unique<Group>();
    group->begin = begin;
    group->end = end;
    d.groups.push_back(std::move(group));
  }

  // Starts what the group has to wait for.
  void prepare_group(const TaskRef& d, Group& group, Worker& worker) {
    context_.interrupt.check();
    std::vector<std::size_t> directories, files;
    for (std::size_t i = group.begin; i < group.end && d->course == Course::grouped; ++i) {
      const auto& status = d->items[i].status;
      if (status.type == EntryType::directory) directories.push_back(i);
      if (status.type == EntryType::regular && status.size > kOwnTask && !is_recorded(*d, i)) files.push_back(i);
    }
    if (!directories.empty()) {
      const OldEntries old(*d, group, worker.reader);
      group.waiting += directories.size();
      for (auto i = directories.rbegin(); i != directories.rend(); ++i) {
        const auto* entry = old.find(d->items[*i].name);
        const bool known = entry != nullptr && entry->is_directory() && !entry->directory.is_zero();
        if (known && is_taken_over(*d, *i)) {
          const std::scoped_lock lock(d->mutex);
          d->children.emplace(*i, result_of(*entry));
          --group.waiting;  // not the last: the group waits for this
        } else {
          push_child(d, *i, known ? std::optional(result_of(*entry)) : std::nullopt, dirt_of_child(*d, *i));
        }
      }
    }
    group.waiting += files.size();
    for (const auto i : files) {
      if (d->items[i].status.size > kLargeFile) {
        start_large_file(d, group, i);
      } else {
        queue_.push([this, d, &group, i](Worker& w) { pack_file(d, group, i, w); });
      }
    }
    one_less(d, group);
  }

  void one_less(const TaskRef& d, Group& group) {
    if (--group.waiting == 0) push_group(d, group);
  }

  // Runs `work`, which packs a file that its group waits for. Nothing: others go on with it.
  template <class Work>
  void deliver_file(const TaskRef& d, Group& group, std::size_t position, Work work) {
    try {
      auto packed = work();
      if (!packed) return;
      const std::scoped_lock lock(d->mutex);
      d->packed_files.emplace(position, std::move(*packed));
    } catch (const Error& error) {
      if (error.code() != Code::source) throw;
      const std::scoped_lock lock(d->mutex);
      d->failures.emplace(position, error);
    }
    one_less(d, group);
  }

  void pack_file(const TaskRef& d, Group& group, std::size_t position, Worker& worker) {
    context_.interrupt.check();
    const auto& item = d->items[position];
    context_.cache.end_reads();
    deliver_file(d, group, position, [&] { return std::optional(worker.packer.pack(*d->handle, item)); });
    advance(0, item.status.size, child_path(*d, item.name));
  }

  void start_large_file(const TaskRef& d, Group& group, std::size_t position) {
    context_.cache.commit();  // this may take a while, and others use the cache too
    deliver_file(d, group, position, [&]() -> std::optional<PackedFile> {
      push_large_file(d, group, position, std::make_shared<LargeFile>(*d->handle, d->items[position], context_.threads));
      return std::nullopt;
    });
  }

  void push_large_file(const TaskRef& d, Group& group, std::size_t position, const std::shared_ptr<LargeFile>& file) {
    for (unsigned i = 0; i < context_.threads; ++i) {
      queue_.push([this, d, &group, position, file](Worker& worker) {
        work_on_large_file(d, group, position, file, worker);
      });
    }
  }

  void work_on_large_file(const TaskRef& d, Group& group, std::size_t position, const std::shared_ptr<LargeFile>& file,
                          Worker& worker) {
    const auto path = child_path(*d, d->items[position].name);
    const bool last = file->work(worker.packer, [&](std::uint64_t bytes) {
      context_.interrupt.check();
      advance(0, bytes, path);
    });
    if (!last) return;
    deliver_file(d, group, position, [&] {
      auto packed = file->result(worker.packer);
      if (!packed) push_large_file(d, group, position, file);
      return packed;
    });
  }

  // --- A group becomes a page, the pages a directory. ---

  void finish_group(const TaskRef& d, Group& group, Worker& worker) {
    context_.interrupt.check();
    GroupPacker packer(*d, group, worker.packer, worker.reader, context_.vault.keyring().own_domain(),
                       [&](Problem::Kind kind, const std::string& name, const std::string& message) {
                         tell(kind, child_path(*d, name), message);
                       });
    if (packer.reads_files()) context_.cache.end_reads();  // that may take a while, and others use the cache too
    packer.run();
    worker.counts += packer.counts();
    advance(packer.files_done(), packer.bytes_done(), d->path);
    if (--d->waiting_groups == 0) finish_directory(d, worker);
  }

  void finish_directory(const TaskRef& d, Worker& worker) {
    std::vector<format::PageChild> leaves;
    for (auto& group : d->groups) {
      std::ranges::move(group->pages, std::back_inserter(leaves));
    }
    const auto page = join_leaves(std::move(leaves), worker);
    const auto result = totals(*d, page);
    if (!d->parent) {
      // "/" holds the way to what was asked for and is counted nowhere.
    } else if (!d->previous) {
      ++worker.counts.dirs_new;
    } else {
      ++(*d->previous == page ? worker.counts.dirs_unmodified : worker.counts.dirs_changed);
    }
    remember(*d, result);
    deliver(d, result);
  }

  ChunkId join_leaves(std::vector<format::PageChild> leaves, Worker& worker) {
    const auto put = [&](ByteView bytes) { return worker.packer.sink().put(format::BlockRole::page, bytes); };
    // Files that could not be read may have left a leaf with nothing in it; only a whole directory may be empty.
    std::erase_if(leaves, [](const auto& leaf) { return leaf.entries == 0; });
    if (leaves.empty()) return put(format::encode_page({}));
    return tree::join_pages(std::move(leaves), domain_, put);
  }

  void remember(const DirectoryTask& d, const DirectoryResult& result) {
    if (!request_.remember) return;
    cache::DirectoryRecord record;
    record.page = result.page;
    if (!d.incomplete) record.fingerprint = d.fingerprint;
    record.files = result.files;
    record.directories = result.directories;
    record.bytes = result.bytes;
    for (const auto& [position, child] : d.children) record.child_pages.push_back(child.page);
    record.fingerprints = d.fingerprints;
    std::ranges::sort(record.fingerprints);
    context_.cache.put_directory(d.path_key, record);
  }

  void deliver(const TaskRef& d, const DirectoryResult& result) {
    const auto parent = d->parent;
    d->handle.reset();
    if (!parent) {
      result_.root = result.page;
      result_.files = result.files;
      result_.directories = result.directories;
      result_.bytes = result.bytes;
      return;
    }
    {
      const std::scoped_lock lock(parent->mutex);
      parent->children.emplace(d->position, result);
    }
    if (parent->groups.empty()) {
      queue_.push([this, parent](Worker& worker) { child_done(parent, worker); });
    } else {
      const auto group = std::ranges::find_if(parent->groups, [&](const auto& g) { return d->position < g->end; });
      one_less(parent, **group);
    }
  }

  const repo::Context& context_;
  ChunkStore& store_;
  const PackageRequest& request_;
  const keys::DomainKeys& domain_;
  crypto::Key record_key_;
  std::array<std::uint8_t, 16> entry_key_{};
  std::vector<Worker> workers_;
  WorkQueue<Task> queue_;
  std::atomic<std::uint64_t> files_seen_{0}, bytes_seen_{0}, files_done_{0}, bytes_done_{0};
  std::atomic<bool> lost_previous_{false};
  std::mutex problems_mutex_;
  PackageResult result_;
};

}  // namespace

PackageCounts& PackageCounts::operator+=(const PackageCounts& other) noexcept {
  files_new += other.files_new;
  files_changed += other.files_changed;
  files_unmodified += other.files_unmodified;
  dirs_new += other.dirs_new;
  dirs_changed += other.dirs_changed;
  dirs_unmodified += other.dirs_unmodified;
  bytes_read += other.bytes_read;
  return *this;
}

PackageResult package_tree(const repo::Context& context, const repo::ChunkIndex& index, ChunkStore& store,
                           const PackageRequest& request) {
  return Packager(context, index, store, request).run();
}

}  // namespace mbu::ingest
