#include "repo/known_snapshots.hpp"

#include <algorithm>
#include <unordered_set>

namespace mbu::repo {
namespace {

constexpr std::string_view kSeries = "mbu known snapshots";
const std::string kWhat = "a known snapshot";

ChunkId record(const ObjectName& name) { return ChunkId::from(name.view()); }

}  // namespace

KnownSnapshots::KnownSnapshots(cache::Cache& cache) : pages_(cache.open_pages(crypto::sha256(as_bytes(kSeries)), cache::Pages::Unwritten::goes)) {}

void KnownSnapshots::put(const StoredSnapshot& snapshot) {
  ByteBuffer bytes;
  append(bytes, snapshot.writer.view());
  append(bytes, snapshot.domain.view());
  append(bytes, format::encode_snapshot(snapshot.snapshot));
  pages_->put(record(snapshot.name), bytes);
}

std::optional<StoredSnapshot> KnownSnapshots::find(const ObjectName& name) {
  const auto bytes = pages_->find(record(name));
  if (!bytes) return std::nullopt;
  try {
    Reader reader(*bytes, kWhat);
    StoredSnapshot snapshot;
    snapshot.name = name;
    snapshot.writer = reader.identifier<PublicKey>();
    snapshot.domain = reader.identifier<DomainId>();
    snapshot.snapshot = format::decode_snapshot(reader.rest(), kWhat);
    return snapshot;
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    return std::nullopt;
  }
}

void KnownSnapshots::keep_only(const std::vector<store::Listed>& listed) {
  std::unordered_set<ChunkId, IdentifierHash> live;
  for (const auto& object : listed) live.insert(record(object.name));
  pages_->sweep(live);
}

std::vector<StoredSnapshot> read_snapshots(const Context& context, Which which) {
  const auto& vault = context.vault;
  KnownSnapshots known(context.cache);
  const auto everything = vault.store().list(store::Folder::snapshots, false);
  std::vector<StoredSnapshot> all;
  std::vector<store::Listed> unknown;
  for (const auto& object : everything) {
    if (which == Which::current && vault.constitution().forgotten.contains(object.name)) continue;
    auto found = known.find(object.name);
    if (found && vault.is_admitted(found->writer, found->domain, store::Folder::snapshots, object.name)) {
      attribute(vault, *found);
      all.push_back(std::move(*found));
    } else {
      unknown.push_back(object);
    }
  }
  if (!unknown.empty()) {
    auto opened = read_listed_snapshots(vault, unknown, context.tell_damage(), context.threads);
    for (auto& snapshot : opened) {
      known.put(snapshot);
      all.push_back(std::move(snapshot));
    }
    known.write_back();
    known.keep_only(everything);
  }
  sort_by_time(all);
  return all;
}

}  // namespace mbu::repo
