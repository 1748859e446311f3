#include "repo/tombstones.hpp"

#include <map>

#include "format/lock.hpp"
#include "repo/envelope.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kLargestLock = 1U << 30;

}  // namespace

Tombstones read_tombstones(const Vault& vault, const std::function<void(const CheckReport::Finding&)>& damage) {
  // Of two sets with one predecessor the larger hash is void; following the smaller one gives the chain.
  std::map<ObjectName, std::pair<ObjectName, format::Lock>> after;  // predecessor (zero: none) -> set
  for (const auto& listed : vault.store().list(store::Folder::locks, false)) {
    const auto path = store::object_path(store::Folder::locks, listed.name);
    try {
      const auto bytes = store::read_verified(vault.store(), store::Folder::locks, listed.name, kLargestLock);
      const auto object = open_object(vault.keyring(), format::ObjectKind::lock, bytes, path);
      auto lock = format::decode_lock(object.plain, path);
      if (lock.kind != format::LockKind::tombstones) continue;
      if (object.signer != vault.config().owner) throw Error(Code::corrupt, "is not signed by the owner", path);
      const auto predecessor = lock.predecessor.value_or(ObjectName{});
      const auto found = after.find(predecessor);
      if (found == after.end() || listed.name < found->second.first) {
        after.insert_or_assign(predecessor, std::pair(listed.name, std::move(lock)));
      }
    } catch (const Error& error) {
      if (error.code() == Code::not_found) continue;
      if (error.code() != Code::corrupt) throw;
      damage({error.subject(), error.happened()});
    }
  }
  // Every set that is not void counts, also one whose predecessor has not arrived: not referring to a pack is always safe.
  Tombstones result;
  for (const auto& [predecessor, set] : after) {
    result.packs.insert(set.second.packs.begin(), set.second.packs.end());
    if (!after.contains(set.first)) result.newest = set.first;
  }
  return result;
}

}  // namespace mbu::repo
