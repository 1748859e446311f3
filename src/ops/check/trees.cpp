#include "ops/check/trees.hpp"

#include <map>
#include <unordered_set>

#include "repo/chunk_index.hpp"
#include "repo/snapshots.hpp"
#include "tree/reader.hpp"

namespace mbu::ops {
namespace {

using Damage = std::function<void(const CheckReport::Finding&)>;

class TreeCheck {
 public:
  TreeCheck(const repo::Context& context, const repo::ChunkIndex& index, const Damage& damage)
      : context_(context), index_(index), reader_(context.vault, index), damage_(damage) {}

  void snapshot(const repo::StoredSnapshot& stored) {
    name_ = "snapshot " + stored.name.hex().substr(0, 8);
    directory(stored.snapshot.root, "/");
  }

 private:
  template <class Work>
  void guard(const std::string& path, Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
      // The object when one is named, and always the path that is hit.
      if (error.subject() != path && !error.subject().empty()) damage_({error.subject(), error.happened()});
      damage_({name_ + ":" + path, error.happened()});
    }
  }

  void directory(const ChunkId& id, const std::string& path) {
    if (!visited_.insert(id).second) return;
    context_.interrupt.check();
    // Children first gathered, then visited: the depth of the recursion holds names, not pages.
    std::vector<std::pair<std::string, ChunkId>> below;
    guard(path, [&] {
      reader_.for_each_leaf(id, path, [&](format::Page&& page) {
        if (!page.inline_chunk.is_zero()) guard(path, [&] { chunk({page.inline_chunk, page.inline_length}, path); });
        for (const auto& entry : page.entries) {
          const std::string entry_path = (path == "/" ? path : path + '/') + entry.name;
          if (entry.is_directory() && !entry.directory.is_zero()) below.emplace_back(entry_path, entry.directory);
          if (entry.is_regular()) file(entry, entry_path);
        }
      });
    });
    for (const auto& [child_path, child] : below) directory(child, child_path);
  }

  void file(const format::Entry& entry, const std::string& path) {
    guard(path, [&] {
      std::uint64_t data = 0;
      for (const auto& run : reader_.data_runs(entry, path)) data += run.length;
      if (entry.content.kind == format::Content::Kind::inlined) return;
      std::uint64_t bytes = 0;
      reader_.for_each_chunk(entry.content, path, [&](const format::ChunkRef& ref) {
        bytes += ref.length;
        chunk(ref, path);
      });
      if (bytes != data) throw Error(Code::corrupt, "its chunks do not add up to its size", path);
    });
  }

  void chunk(const format::ChunkRef& ref, const std::string& path) const {
    const auto location = index_.find(ref.id);
    if (!location) throw Error(Code::corrupt, tree::kChunkNotHere, path);
    if (location->length != ref.length) throw Error(Code::corrupt, "a chunk of it has the wrong length", path);
  }

  const repo::Context& context_;
  const repo::ChunkIndex& index_;
  tree::TreeReader reader_;
  const Damage& damage_;
  std::string name_;
  std::unordered_set<ChunkId, IdentifierHash> visited_;
};

// Why a pack that is there does not help a snapshot of that domain.
std::string why_not(const repo::Vault& vault, const ObjectName& pack, const DomainId& domain) {
  try {
    const bool elsewhere = repo::pack_info(repo::read_toc(vault, pack)).domain != domain;
    return elsewhere ? "is wanted by a snapshot of another domain" : "is missing from the index";
  } catch (const repo::Unaccepted&) {
    return "is wanted, and its writer was removed: `mbu key accept` shows what may be accepted";
  } catch (const Error& error) {
    if (error.code() != Code::corrupt && error.code() != Code::not_found) throw;
    return error.happened();
  }
}

// Two of one number in one chain: both count, and somebody should know.
void tell_forks(const std::vector<repo::StoredSnapshot>& all, const Damage& damage) {
  std::map<std::tuple<PublicKey, InstanceId, std::uint64_t>, ObjectName> first;
  for (const auto& stored : all) {
    const auto [other, is_new] = first.try_emplace({stored.writer, stored.snapshot.instance, stored.snapshot.number}, stored.name);
    if (is_new) continue;
    CheckReport::Finding finding{store::object_path(store::Folder::snapshots, stored.name),
                                 "has the number of " + other->second.hex().substr(0, 8) + " in the same chain: a machine was cloned, or its state put back"};
    finding.is_note = true;  // a note
    damage(finding);
  }
}

// The snapshots of one domain: they resolve through nothing but its packs.
void check_domain(const repo::Context& context, const DomainId& domain, const std::vector<const repo::StoredSnapshot*>& snapshots,
                  const Damage& damage) {
  const auto index = repo::ChunkIndex::load(context.vault, damage, {.domain = domain});
  TreeCheck check(context, index, damage);
  std::set<ObjectName> wanted, here;
  for (const auto* stored : snapshots) {
    check.snapshot(*stored);
    const auto& packs = stored->snapshot.packs_added;
    wanted.insert(packs.begin(), packs.end());
  }
  for (const auto& listed : context.vault.store().list(store::Folder::packs, false)) here.insert(listed.name);
  for (const auto& name : wanted) {
    if (index.find_pack(name)) continue;
    const auto path = store::object_path(store::Folder::packs, name);
    damage({path, here.contains(name) ? why_not(context.vault, name, domain) : "is missing"});
  }
}

}  // namespace

void check_trees(const repo::Context& context, std::uint64_t& snapshots, const Damage& damage) {
  const auto all = repo::read_snapshots(context.vault, repo::Which::current, damage, context.threads);
  snapshots = all.size();
  tell_forks(all, damage);
  std::map<DomainId, std::vector<const repo::StoredSnapshot*>> domains;
  for (const auto& stored : all) domains[stored.domain].push_back(&stored);
  if (domains.empty()) (void)repo::ChunkIndex::load(context.vault, damage);  // what it meets is told
  for (const auto& [domain, of_domain] : domains) check_domain(context, domain, of_domain, damage);
}

}  // namespace mbu::ops
