#include "ops/check/check.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/random.hpp"
#include "ops/check/trees.hpp"
#include "repo/index_object.hpp"
#include "repo/pack_reader.hpp"
#include "repo/tombstones.hpp"
#include "tree/chunk_reader.hpp"

namespace mbu::ops {
namespace {

using repo::Context;
using store::Folder;

// Findings from several threads.
class Findings {
 public:
  void add(const CheckReport::Finding& finding) {
    const std::scoped_lock lock(mutex_);
    if (!known_.emplace(finding.object, finding.message).second) return;
    if (finding.is_note) {
      report_.notes.push_back(finding.object + ": " + finding.message);
    } else {
      report_.damage.push_back(finding);
    }
  }
  // Runs `work`; damage that it throws is a finding.
  template <class Work>
  void guard(Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
      add(repo::finding_of(error));
    }
  }
  [[nodiscard]] CheckReport& report() noexcept { return report_; }

 private:
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> known_;  // object, message
  CheckReport report_;
};

// The object's bytes against its name, read in pieces.
void check_name(store::Store& store, Folder folder, const ObjectName& name, std::atomic<std::uint64_t>& bytes_read) {
  constexpr std::size_t kPiece = 1U << 20;
  crypto::Sha256 hash;
  ByteBuffer piece;
  const std::uint64_t size = store.size(folder, name);
  for (std::uint64_t offset = 0; offset < size; offset += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - offset)));
    store.read_at(folder, name, offset, piece);
    hash.update(piece);
  }
  bytes_read += size;
  if (hash.finish() != name.bytes) {
    throw Error(Code::corrupt, "is damaged: its bytes do not hash to its name", store::object_path(folder, name));
  }
}

void check_blocks(const repo::Vault& vault, const format::DescribedPack& pack, repo::BlockFetcher& fetcher) {
  const auto info = repo::pack_info(pack);
  const auto path = store::object_path(Folder::packs, pack.name);
  std::size_t next = 0;
  for (std::uint32_t number = 0; number < info.blocks.size(); ++number) {
    auto plain = fetcher.fetch(info, number);
    const auto role = info.blocks[number].role;
    for (std::uint32_t i = 0; i < info.blocks[number].chunks; ++i, ++next) {
      const auto& chunk = pack.toc.chunks[next];
      if (!repo::is_chunk(vault, info, role, plain.first(chunk.length), chunk.id)) {
        throw Error(Code::corrupt, "a chunk in block " + std::to_string(number) + " does not hash to its id", path);
      }
      plain = plain.subspan(chunk.length);
    }
  }
}

std::vector<ObjectName> chosen_packs(const std::vector<store::Listed>& packs, const CheckOptions& options) {
  std::vector<ObjectName> chosen;
  for (const auto& pack : packs) {
    if (options.subset_count != 0 && pack.name.bytes[0] % options.subset_count != options.subset_index - 1) continue;
    if (options.subset_count == 0 && options.subset_percent < 100) {
      const auto draw = load<std::uint32_t>(random_identifier<Identifier<struct DrawTag, 4>>().view());
      if (draw >= options.subset_percent / 100 * 4294967296.0) continue;
    }
    chosen.push_back(pack.name);
  }
  return chosen;
}

void check_packs(const Context& context, const CheckOptions& options, Findings& findings) {
  auto& store = context.vault.store();
  const auto packs = store.list(Folder::packs, false);
  const auto to_read = options.read_data ? chosen_packs(packs, options) : std::vector<ObjectName>{};
  std::atomic<std::uint64_t> bytes_read{0}, done{0};
  std::vector<repo::BlockFetcher> fetchers;
  for (unsigned i = 0; i < context.threads; ++i) fetchers.emplace_back(context.vault);

  parallel_for(context.threads, packs.size(), [&](unsigned worker, std::size_t i) {
    context.interrupt.check();
    findings.guard([&] {
      const bool read = std::ranges::binary_search(to_read, packs[i].name);
      if (read) check_name(store, Folder::packs, packs[i].name, bytes_read);
      const auto pack = repo::read_toc(context.vault, packs[i].name);
      if (read) check_blocks(context.vault, pack, fetchers[worker]);
    });
    ++done;
    if (context.events.progress_due()) {
      context.events.progress({done, bytes_read, packs.size(), 0, true, "data"});
    }
  });
  findings.report().objects += packs.size();
  findings.report().packs_read += to_read.size();
  findings.report().bytes_read += bytes_read;
}

void check_indexes(const Context& context, Findings& findings) {
  auto& store = context.vault.store();
  std::set<ObjectName> here;
  for (const auto& listed : store.list(Folder::packs, false)) here.insert(listed.name);
  for (const auto& listed : store.list(Folder::indexes, false)) {
    context.interrupt.check();
    ++findings.report().objects;
    const auto path = store::object_path(Folder::indexes, listed.name);
    findings.guard([&] {
      const auto read = repo::read_index(context.vault, listed.name);
      for (const auto& pack : read.index.packs) {
        if (!here.contains(pack.name)) continue;
        std::optional<format::IndexedPack> own;
        try {
          own = indexed(repo::read_toc(context.vault, pack.name));
        } catch (const Error& error) {
          if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
          continue;  // the pack's own damage, found by check_packs
        }
        if (*own != pack) throw Error(Code::corrupt, "contradicts the table of contents of a pack", path);
      }
    });
  }
}

// Slots, statements and locks are small: always read whole.
void check_small_objects(const Context& context, Findings& findings) {
  auto& store = context.vault.store();
  findings.guard([&] {
    if (repo::read_config(store).hash != context.vault.config_hash()) {
      throw Error(Code::corrupt, "has changed since it was opened", "config");
    }
  });
  for (const auto& damage : context.vault.constitution().damage) findings.add(damage);
  std::atomic<std::uint64_t> bytes_read{0};
  for (const auto folder : {Folder::keys, Folder::statements, Folder::locks}) {
    for (const auto& listed : store.list(folder, false)) {
      ++findings.report().objects;
      findings.guard([&] { check_name(store, folder, listed.name, bytes_read); });
      if (folder != Folder::keys) continue;
      const auto path = store::object_path(folder, listed.name);
      const auto& constitution = context.vault.constitution();
      const bool known = constitution.slots.contains(listed.name);
      if (!known) {
        const bool removed = constitution.removed_slots.contains(listed.name);
        CheckReport::Finding note{path, removed ? "was removed by the owner, and is there again" : "is named by no statement of the owner: it may be forged, or early"};
        note.is_note = true;
        findings.add(note);
      }
      findings.guard([&] {
        const auto bytes = store.read(folder, listed.name);
        if (format::decode_slot(bytes, path).config_hash != context.vault.config_hash()) {
          throw Error(Code::corrupt, "belongs to another repository's config", path);
        }
        if (known) (void)keys::read_label(bytes, context.vault.keyring(), path);
      });
    }
  }
  (void)repo::read_tombstones(context.vault, [&](const auto& finding) { findings.add(finding); });
}

// What this machine saw here before and the store does not list any more. Indexes, locks and, once pruned, packs may go; snapshots,
// slots and statements may not.
void check_memory(const Context& context, Findings& findings) {
  const auto seen = context.state.seen_here();  // before the store is listed: others publish meanwhile
  std::set<std::string> here;
  for (const auto folder : store::kFolders) {
    for (const auto& listed : context.vault.store().list(folder, false)) {
      here.insert(store::object_path(folder, listed.name));
    }
  }
  // Of slots, those that statements know.
  std::set<std::string> slots;
  for (const auto& slot : context.vault.constitution().slots) slots.insert(store::object_path(Folder::keys, slot));
  std::set<std::string> forgotten;
  for (const auto& snapshot : context.vault.constitution().forgotten) forgotten.insert(store::object_path(Folder::snapshots, snapshot));
  const auto may_go = [&](const std::string& path) {
    return path.starts_with("data/") || (path.starts_with("keys/") && !slots.contains(path)) || forgotten.contains(path);
  };
  for (const auto& path : seen) {
    if (!may_go(path) && !here.contains(path)) {
      findings.add({path, "is missing: it was here before"});
    }
  }
  // A chunk that is nowhere is on its way if every pack that is missing may be.
  const auto is_unseen = [&](const auto& finding) {
    return finding.message.starts_with("is missing") && !seen.contains(finding.object);
  };
  auto& damage = findings.report().damage;
  const auto is_lost_pack = [&](const auto& f) { return f.object.starts_with("data/") && !is_unseen(f); };
  const bool packs_may_arrive = std::ranges::any_of(damage, is_unseen) && std::ranges::none_of(damage, is_lost_pack);
  for (auto& finding : damage) {
    finding.never_seen = is_unseen(finding) || (finding.message == tree::kChunkNotHere && packs_may_arrive);
  }
  // Of what somebody planted nothing is remembered: it may go again.
  std::set<std::string> doubtful;
  for (const auto& finding : damage) doubtful.insert(finding.object);
  for (const auto& note : findings.report().notes) doubtful.insert(note.substr(0, note.find(": ")));
  std::vector<std::string> fresh;
  std::ranges::copy_if(here, std::back_inserter(fresh), [&](const std::string& path) {
    return !path.starts_with("index/") && !path.starts_with("locks/") && !seen.contains(path) && !doubtful.contains(path);
  });
  context.state.remember(fresh);
}

}  // namespace

CheckReport check(const Context& context, const CheckOptions& options) {
  Findings findings;
  const auto start = system_clock().monotonic_ns();
  check_small_objects(context, findings);
  check_packs(context, options, findings);
  check_indexes(context, findings);
  check_trees(context, findings.report().snapshots, [&](const CheckReport::Finding& f) { findings.add(f); });
  check_memory(context, findings);
  auto& report = findings.report();
  std::ranges::sort(report.damage, {}, [](const auto& f) { return std::tie(f.object, f.message); });
  report.seconds = static_cast<double>(system_clock().monotonic_ns() - start) * 1e-9;
  return std::move(report);
}

CheckReport check_names(store::Store& store, unsigned threads, const Interrupt& interrupt) {
  Findings findings;
  const auto start = system_clock().monotonic_ns();
  (void)repo::read_config(store);
  std::vector<std::pair<Folder, ObjectName>> objects;
  for (const auto folder : store::kFolders) {
    for (const auto& listed : store.list(folder, false)) objects.emplace_back(folder, listed.name);
  }
  std::atomic<std::uint64_t> bytes_read{0};
  parallel_for(threads, objects.size(), [&](unsigned, std::size_t i) {
    interrupt.check();
    findings.guard([&] { check_name(store, objects[i].first, objects[i].second, bytes_read); });
  });
  auto& report = findings.report();
  report.objects = objects.size();
  report.bytes_read = bytes_read;
  std::ranges::sort(report.damage, {}, [](const auto& f) { return std::tie(f.object, f.message); });
  report.seconds = static_cast<double>(system_clock().monotonic_ns() - start) * 1e-9;
  return std::move(report);
}

}  // namespace mbu::ops
