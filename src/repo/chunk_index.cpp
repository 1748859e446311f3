#include "repo/chunk_index.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>

#include "format/header.hpp"
#include "repo/index_object.hpp"
#include "repo/tombstones.hpp"
#include "repo/transcript.hpp"

namespace mbu::repo {
namespace {

constexpr std::size_t kSourcesForTable = 16;
// So much is gathered in memory before a table is written of it.
constexpr std::uint64_t kMostChunksInMemory = 1U << 16;
constexpr std::size_t kRecentPacks = 1024;
constexpr std::uint32_t kElsewhere = 0xffff'ffff;

// What one object is to blame for, or only the owner may read: the others are read nevertheless.
bool is_passed_over(const Error& error) noexcept {
  return error.code() == Code::not_found || error.code() == Code::corrupt || error.code() == Code::forbidden;
}

struct Chunk {
  ChunkPrefix id;
  Location location;
  auto operator<=>(const Chunk&) const = default;
};

enum class Known : std::uint8_t { nothing, elsewhere, by_table, by_index, by_itself };  // elsewhere: in another domain

struct Pack {
  ObjectName name;
  bool tombstoned = false;
  Known known = Known::nothing;
  std::uint32_t table = 0, record = 0;   // by table: where
  std::shared_ptr<const PackInfo> info;  // else
};

struct Table {
  std::unique_ptr<cache::LocationTable> table;  // null: merged into another
  std::vector<std::uint32_t> numbers;           // of its packs in State::packs; kElsewhere: not here, or known otherwise
};

}  // namespace

struct ChunkIndex::State {
  const Vault* vault = nullptr;  // null: made of tocs alone
  DomainId domain;
  const cache::LocationTables* location_tables = nullptr;

  // Held while a table is made of others, which must not be taken away meanwhile. Comes before `mutex`.
  std::mutex transcribing;
  // Exclusive to change what follows up to `unindexed`.
  std::shared_mutex mutex;
  std::vector<Pack> packs;  // those that were listed, by name; then those of extend()
  std::size_t listed = 0;
  std::unordered_map<ObjectName, std::uint32_t, IdentifierHash> extended;  // the numbers of these
  std::vector<Table> tables;
  std::vector<Chunk> chunks;  // of packs that are in no table, sorted
  std::vector<ObjectName> unindexed;

  std::mutex recent_mutex;
  std::unordered_map<std::uint32_t, std::shared_ptr<const PackInfo>> recent;  // of packs known by table

  std::once_flag corrected;
  std::unique_ptr<const ChunkIndex> corrections;

  // --- Loading ---

  // Whether the object's header says another domain, or a generation of keys that a writer was not given (what he writes would not be found among
  // its chunks anyhow). Costs a look at it, unless one reads it all.
  [[nodiscard]] bool is_elsewhere(store::Folder folder, const ObjectName& name) const {
    const auto& keyring = vault->keyring();
    if (keyring.is_owner() && !vault->has_other_domains(domain)) return false;
    ByteBuffer start(format::kHeaderPrefixSize);
    vault->store().read_at(folder, name, 0, start);
    return format::claimed_domain(start) != domain || !keyring.has_domain_keys(domain, format::claimed_generation(start).value_or(0));
  }

  void list_packs(const std::set<ObjectName>& tombstoned) {
    for (const auto& object : vault->store().list(store::Folder::packs, false)) {
      packs.push_back({object.name, tombstoned.contains(object.name), Known::nothing, 0, 0, nullptr});
    }
    std::ranges::sort(packs, {}, &Pack::name);
    listed = packs.size();
  }

  [[nodiscard]] std::optional<std::uint32_t> number_of(const ObjectName& name) const {
    const auto end = packs.begin() + static_cast<std::ptrdiff_t>(listed);
    const auto found = std::ranges::lower_bound(packs.begin(), end, name, {}, &Pack::name);
    if (found != end && found->name == name) return static_cast<std::uint32_t>(found - packs.begin());
    const auto published = extended.find(name);
    return published == extended.end() ? std::nullopt : std::optional(published->second);
  }

  void open_tables(std::set<ObjectName>& covered) {
    for (auto& table : location_tables->open_all()) {
      // A signer may have been removed since.
      const bool admitted = std::ranges::all_of(table->sources(), [&](const cache::TableSource& source) {
        return vault->is_admitted(source.signer, source.domain, store::Folder::indexes, source.index);
      });
      if (!admitted) {
        location_tables->remove(*table);
        continue;
      }
      for (const auto& source : table->sources()) covered.insert(source.index);
      adopt(std::move(table));
    }
  }

  void adopt(std::unique_ptr<cache::LocationTable> table) {
    Table added;
    added.numbers.reserve(table->packs().size());
    for (std::uint32_t record = 0; record < table->packs().size(); ++record) {
      const auto number = number_of(table->packs()[record]);
      const bool here = number && packs[*number].known == Known::nothing;
      added.numbers.push_back(here ? *number : kElsewhere);
      if (!here) continue;
      packs[*number].known = Known::by_table;
      packs[*number].table = static_cast<std::uint32_t>(tables.size());
      packs[*number].record = record;
    }
    added.table = std::move(table);
    tables.push_back(std::move(added));
  }

  void read_indexes(const Damage& damage, const std::set<ObjectName>& covered, std::uint64_t chunks_for_table) {
    Told told;
    for (const auto& object : vault->store().list(store::Folder::indexes, false)) {
      if (covered.contains(object.name)) continue;
      try {
        if (is_elsewhere(store::Folder::indexes, object.name)) continue;
        auto [signer, from, index] = read_index(*vault, object.name);
        for (auto& pack : index.packs) {
          // What a writer says of another's pack, or of one in another domain, is worth nothing: that pack speaks for itself below.
          if (pack.writer != signer || format::claimed_domain(pack.header) != domain) continue;
          const auto number = number_of(pack.name);
          if (!number || packs[*number].known == Known::nothing) told.add(std::move(pack));
        }
        told.sources.push_back({object.name, signer, from});
      } catch (const Error& error) {
        if (!is_passed_over(error)) throw;
        if (error.code() == Code::corrupt) damage(finding_of(error));  // else replaced since it was listed
      }
      if (told.chunks >= kMostChunksInMemory && write_table(told)) told = {};
    }
    if (told.sources.empty()) return;
    const bool worth = told.chunks >= chunks_for_table || told.sources.size() >= kSourcesForTable;
    if (worth && write_table(told)) return;
    for (const auto& pack : told.packs) {
      const auto number = number_of(pack.name);
      if (number && packs[*number].known == Known::nothing) add(pack, *number, Known::by_index);
    }
  }

  void read_tocs(const Damage& damage) {
    for (std::uint32_t number = 0; number < listed; ++number) {
      if (packs[number].known != Known::nothing) continue;
      try {
        if (is_elsewhere(store::Folder::packs, packs[number].name)) {
          packs[number].known = Known::elsewhere;
          continue;
        }
        const auto own = indexed(read_toc(*vault, packs[number].name));
        if (format::claimed_domain(own.header) != domain) {
          packs[number].known = Known::elsewhere;
          continue;
        }
        add(own, number, Known::by_itself);
        unindexed.push_back(packs[number].name);
      } catch (const Error& error) {
        if (!is_passed_over(error)) throw;
        if (error.code() == Code::corrupt) damage(finding_of(error));
      }
    }
  }

  // Chunks are to be sorted afterwards.
  void add(const format::IndexedPack& pack, std::uint32_t number, Known known) {
    packs[number].known = known;
    packs[number].info = std::make_shared<const PackInfo>(pack_info(pack));
    for_each_place(pack.toc, [&](const ChunkPrefix& id, std::uint32_t block, std::uint32_t offset, std::uint32_t length) {
      chunks.push_back({id, {number, block, offset, length}});
    });
  }

  // False when there is nowhere to write it. Nobody looks up meanwhile.
  bool write_table(const Told& told) {
    std::vector<const cache::LocationTable*> merged;
    auto made = transcribed(told, merged);
    if (!made) return false;
    exchange(std::move(made), merged);
    return true;
  }

  // Nothing when it cannot be done. Lookups may go on.
  std::unique_ptr<cache::LocationTable> transcribed(const Told& told, std::vector<const cache::LocationTable*>& merged) const {
    if (location_tables == nullptr) return nullptr;
    std::vector<const cache::LocationTable*> present;
    for (const auto& table : tables) {
      if (table.table) present.push_back(table.table.get());
    }
    const auto keep = [&](const ObjectName& name) { return number_of(name).has_value(); };
    try {
      return transcribe(*location_tables, told, present, keep, merged);
    } catch (const Error&) {
      return nullptr;  // a cache that is full or damaged costs memory, and no more
    }
  }

  void exchange(std::unique_ptr<cache::LocationTable> made, const std::vector<const cache::LocationTable*>& merged) {
    for (auto& table : tables) {
      if (std::ranges::find(merged, table.table.get()) == merged.end()) continue;
      for (const auto number : table.numbers) {
        if (number != kElsewhere) packs[number].known = Known::nothing;
      }
      location_tables->remove(*table.table);
      table = {};
    }
    adopt(std::move(made));
  }

  // --- Looking up ---

  // Appends the chunk's places; false when a table is damaged.
  bool gather(const ChunkPrefix& id, std::vector<Location>& to) const {
    const auto here = std::ranges::equal_range(chunks, id, {}, &Chunk::id);
    for (const auto& chunk : here) to.push_back(chunk.location);
    std::vector<cache::ChunkPlace> found;
    for (const auto& table : tables) {
      if (!table.table) continue;
      const auto result = table.table->find(id, found);
      if (result == cache::LocationTable::Lookup::damaged) return false;
      if (result == cache::LocationTable::Lookup::absent) continue;
      for (const auto& place : found) {
        const auto number = place.pack < table.numbers.size() ? table.numbers[place.pack] : kElsewhere;
        if (number != kElsewhere) to.push_back({number, place.block, place.offset, place.length});
      }
      found.clear();
    }
    return true;
  }

  // Those outside tombstoned packs in front.
  std::vector<Location> places(const ChunkPrefix& id) {
    std::vector<Location> all;
    for (;;) {
      {
        const std::shared_lock lock(mutex);
        if (gather(id, all)) {
          if (all.size() > 1) {
            std::ranges::stable_partition(all, [&](const Location& place) { return !packs[place.pack].tombstoned; });
          }
          return all;
        }
      }
      all.clear();
      mend();
    }
  }

  std::shared_ptr<const PackInfo> pack(std::uint32_t number) {
    for (;;) {
      {
        const std::shared_lock lock(mutex);
        const auto& pack = packs.at(number);
        if (pack.known != Known::by_table) return pack.info;
        const std::scoped_lock recent_lock(recent_mutex);
        if (const auto known = recent.find(number); known != recent.end()) return known->second;
        if (const auto record = tables[pack.table].table->pack_record(pack.record)) {
          if (recent.size() >= kRecentPacks) recent.clear();
          return recent[number] = std::make_shared<const PackInfo>(pack_of_record(pack.name, *record));
        }
      }
      mend();
    }
  }

  Pack describe(std::uint32_t number) {
    const std::shared_lock lock(mutex);
    return packs.at(number);
  }

  // Puts what the tables were made from in their place: some of what they say has been damaged since.
  void mend() {
    const std::scoped_lock tables_stay(transcribing);
    const std::unique_lock lock(mutex);
    if (tables.empty()) return;  // another thread did
    std::unordered_map<ObjectName, std::uint32_t, IdentifierHash> lost;
    for (std::uint32_t number = 0; number < packs.size(); ++number) {
      if (packs[number].known == Known::by_table) lost.emplace(packs[number].name, number);
    }
    for (const auto& table : tables) {
      if (table.table) location_tables->remove(*table.table);
    }
    tables.clear();
    recent.clear();
    const auto take = [&](const format::IndexedPack& pack, Known known) {
      const auto found = lost.find(pack.name);
      if (found == lost.end()) return;
      add(pack, found->second, known);
      lost.erase(found);
    };
    for (const auto& object : vault->store().list(store::Folder::indexes, false)) {
      try {
        if (is_elsewhere(store::Folder::indexes, object.name)) continue;
        const auto [signer, from, index] = read_index(*vault, object.name);
        for (const auto& pack : index.packs) {
          if (pack.writer == signer && format::claimed_domain(pack.header) == domain) take(pack, Known::by_index);
        }
      } catch (const Error& error) {
        if (!is_passed_over(error)) throw;
      }
    }
    for (const auto& [name, number] : std::unordered_map(lost)) {
      packs[number].known = Known::nothing;
      try {
        take(indexed(read_toc(*vault, name)), Known::by_itself);
      } catch (const Error& error) {
        if (!is_passed_over(error)) throw;
      }
    }
    std::ranges::sort(chunks);
  }

  bool extend(Told told) {
    const std::scoped_lock tables_stay(transcribing);
    std::vector<const cache::LocationTable*> merged;
    auto made = transcribed(told, merged);
    if (!made) return false;
    const std::unique_lock lock(mutex);
    for (const auto& pack : told.packs) {
      extended.emplace(pack.name, static_cast<std::uint32_t>(packs.size()));
      packs.push_back({pack.name, false, Known::nothing, 0, 0, nullptr});
    }
    exchange(std::move(made), merged);
    return true;
  }

  void add_published(const std::vector<format::IndexedPack>& published, bool indexed) {
    const std::unique_lock lock(mutex);
    if (indexed) unindexed.clear();
    for (const auto& pack : published) {
      if (number_of(pack.name)) continue;  // extend() had it
      const auto number = static_cast<std::uint32_t>(packs.size());
      extended.emplace(pack.name, number);
      packs.push_back({pack.name, false, Known::nothing, 0, 0, nullptr});
      const auto before = static_cast<std::ptrdiff_t>(chunks.size());
      add(pack, number, indexed ? Known::by_index : Known::by_itself);
      std::sort(chunks.begin() + before, chunks.end());
      std::inplace_merge(chunks.begin(), chunks.begin() + before, chunks.end());
      if (!indexed) unindexed.push_back(pack.name);
    }
  }

  // Whether that pack is known here as its own toc has it.
  bool agrees(std::uint32_t number, const format::IndexedPack& own) {
    const auto known = pack(number);
    if (!known || known->header != own.header || known->blocks != own.toc.blocks) return false;
    bool all = true;
    for_each_place(own.toc, [&](const ChunkPrefix& id, std::uint32_t block, std::uint32_t offset, std::uint32_t length) {
      const Location location{number, block, offset, length};
      const auto known_places = places(id);
      all = all && std::ranges::find(known_places, location) != known_places.end();
    });
    return all;
  }

  std::unique_ptr<State> corrected_packs() {
    auto result = std::make_unique<State>();
    for (std::uint32_t number = 0; number < listed; ++number) {
      const auto pack = describe(number);
      if (pack.known != Known::by_index && pack.known != Known::by_table) continue;
      try {
        const auto own = indexed(read_toc(*vault, pack.name));
        if (agrees(number, own)) continue;
        result->packs.push_back({own.name, pack.tombstoned, Known::by_itself, 0, 0, nullptr});
        result->add(own, static_cast<std::uint32_t>(result->packs.size() - 1), Known::by_itself);
      } catch (const Error& error) {
        if (!is_passed_over(error)) throw;
      }
    }
    result->listed = result->packs.size();  // by name, as this is
    std::ranges::sort(result->chunks);
    return result;
  }
};

ChunkIndex::ChunkIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChunkIndex::ChunkIndex() : state_(std::make_unique<State>()) {}
ChunkIndex::ChunkIndex(ChunkIndex&&) noexcept = default;
ChunkIndex& ChunkIndex::operator=(ChunkIndex&&) noexcept = default;
ChunkIndex::~ChunkIndex() = default;

ChunkIndex ChunkIndex::load(const Vault& vault, const Damage& damage, const LoadOptions& options) {
  auto state = std::make_unique<State>();
  state->vault = &vault;
  state->domain = options.domain.value_or(vault.keyring().own_domain().id);
  state->location_tables = options.tables;
  state->list_packs(read_tombstones(vault, damage).packs);
  std::set<ObjectName> covered;
  if (options.tables != nullptr) state->open_tables(covered);
  state->read_indexes(damage, covered, options.chunks_for_table);
  state->read_tocs(damage);
  std::ranges::sort(state->chunks);
  return ChunkIndex(std::move(state));
}

std::optional<Location> ChunkIndex::find(const ChunkId& id) const {
  const auto all = state_->places(prefix_of(id));
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::vector<Location> ChunkIndex::copies(const ChunkId& id) const { return state_->places(prefix_of(id)); }

bool ChunkIndex::may_refer_to(const ChunkId& id) const {
  const auto location = find(id);
  return location && !is_tombstoned(location->pack);
}

const ChunkIndex& ChunkIndex::corrections() const {
  std::call_once(state_->corrected, [&] {
    state_->corrections = std::unique_ptr<const ChunkIndex>(new ChunkIndex(state_->corrected_packs()));
  });
  return *state_->corrections;
}

std::shared_ptr<const PackInfo> ChunkIndex::pack(std::uint32_t number) const { return state_->pack(number); }

ObjectName ChunkIndex::pack_name(std::uint32_t number) const { return state_->describe(number).name; }
bool ChunkIndex::is_tombstoned(std::uint32_t number) const {
  const std::shared_lock lock(state_->mutex);
  return state_->packs.at(number).tombstoned;
}

std::optional<std::uint32_t> ChunkIndex::find_pack(const ObjectName& name) const {
  const std::shared_lock lock(state_->mutex);
  const auto number = state_->number_of(name);
  if (!number) return std::nullopt;
  const auto known = state_->packs[*number].known;
  return known == Known::nothing || known == Known::elsewhere ? std::nullopt : number;
}

bool ChunkIndex::extend(const ObjectName& index_object, std::vector<format::IndexedPack> packs) {
  const auto& keyring = state_->vault->keyring();
  Told told;
  told.sources.push_back({index_object, keyring.writer_signer().public_key(), keyring.own_domain().id});
  for (auto& pack : packs) told.add(std::move(pack));
  return state_->extend(std::move(told));
}

void ChunkIndex::add(const std::vector<format::IndexedPack>& packs, bool indexed) { state_->add_published(packs, indexed); }

std::size_t ChunkIndex::pack_count() const noexcept {
  const std::shared_lock lock(state_->mutex);
  return state_->packs.size();
}
const std::vector<ObjectName>& ChunkIndex::unindexed() const noexcept { return state_->unindexed; }

}  // namespace mbu::repo
