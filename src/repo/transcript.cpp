#include "repo/transcript.hpp"

#include <algorithm>
#include <queue>
#include <set>

namespace mbu::repo {
namespace {

using cache::ChunkPlace;
using cache::LocationTable;
using Lookup = LocationTable::Lookup;

constexpr std::uint32_t kLeftOut = 0xffff'ffff;
// A table that is at most so many times as large as what is merged into it is merged, too.
constexpr std::uint64_t kGrowth = 2;

[[noreturn]] void damaged(const LocationTable& table) { throw Error(Code::corrupt, "is damaged", table.path()); }

// Places in order, from memory or from a table, with the new table's pack numbers.
class Input {
 public:
  explicit Input(std::vector<ChunkPlace> places) : places_(std::move(places)) { std::ranges::sort(places_); }
  Input(const LocationTable& table, std::vector<std::uint32_t> numbers)
      : table_(&table), cursor_(std::in_place, table), numbers_(std::move(numbers)) {}

  // Goes to the next place; false when there is none.
  bool advance() {
    if (!cursor_) {
      if (next_ == places_.size()) return false;
      place = places_[next_++];
      return true;
    }
    for (;;) {
      const auto result = cursor_->next(place);
      if (result == Lookup::absent) return false;
      if (result == Lookup::damaged || place.pack >= numbers_.size()) damaged(*table_);
      place.pack = numbers_[place.pack];
      if (place.pack != kLeftOut) return true;
    }
  }

  ChunkPlace place;

 private:
  std::vector<ChunkPlace> places_;
  std::size_t next_ = 0;
  const LocationTable* table_ = nullptr;
  std::optional<LocationTable::Cursor> cursor_;
  std::vector<std::uint32_t> numbers_;
};

void append_block(ByteBuffer& to, const format::BlockEntry& block) {
  append(to, block.stored);
  append(to, block.plain);
  append(to, block.chunks);
  append(to, static_cast<std::uint8_t>(block.role));
  append(to, static_cast<std::uint8_t>(block.method));
  append(to, block.tag);
}

ByteBuffer record_of(const format::IndexedPack& pack) {
  ByteBuffer record;
  append(record, pack.size);
  append(record, static_cast<std::uint32_t>(pack.header.size()));
  append(record, pack.header);
  append(record, static_cast<std::uint32_t>(pack.toc.blocks.size()));
  for (const auto& block : pack.toc.blocks) append_block(record, block);
  return record;
}

std::vector<const LocationTable*> choose(std::vector<const LocationTable*> present, std::uint64_t chunks) {
  std::ranges::sort(present, {}, &LocationTable::chunk_count);
  std::vector<const LocationTable*> chosen;
  for (const auto* table : present) {
    if (table->chunk_count() > kGrowth * chunks) break;
    chunks += table->chunk_count();
    chosen.push_back(table);
  }
  return chosen;
}

Input input_of(const Told& told, cache::LocationTableWriter& writer, std::set<ObjectName>& added) {
  std::vector<ChunkPlace> places;
  places.reserve(told.chunks);
  for (const auto& pack : told.packs) {
    if (!added.insert(pack.name).second) continue;
    const auto number = writer.add_pack(pack.name, record_of(pack));
    for_each_place(pack.toc, [&](const ChunkPrefix& id, std::uint32_t block, std::uint32_t offset, std::uint32_t length) {
      places.push_back({id, number, block, offset, length});
    });
  }
  return Input(std::move(places));
}

Input input_of(const LocationTable& table, cache::LocationTableWriter& writer, std::set<ObjectName>& added,
               const std::function<bool(const ObjectName&)>& keep) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < table.packs().size(); ++i) {
    const auto& name = table.packs()[i];
    if (!keep(name) || !added.insert(name).second) {
      numbers.push_back(kLeftOut);
      continue;
    }
    const auto record = table.pack_record(i);
    if (!record) damaged(table);
    numbers.push_back(writer.add_pack(name, *record));
  }
  return {table, std::move(numbers)};
}

void merge(std::vector<Input>& inputs, cache::LocationTableWriter& writer) {
  const auto later = [](const Input* a, const Input* b) { return a->place > b->place; };
  std::priority_queue<Input*, std::vector<Input*>, decltype(later)> first(later);
  for (auto& input : inputs) {
    if (input.advance()) first.push(&input);
  }
  while (!first.empty()) {
    auto* input = first.top();
    first.pop();
    writer.add(input->place);
    if (input->advance()) first.push(input);
  }
}

}  // namespace

PackInfo pack_of_record(const ObjectName& name, ByteView record) {
  Reader reader(record, store::object_path(store::Folder::packs, name));
  const auto size = reader.integer<std::uint64_t>();
  const auto header = reader.take(reader.integer<std::uint32_t>());
  std::vector<format::BlockEntry> blocks(reader.integer<std::uint32_t>());
  for (auto& block : blocks) {
    block.stored = reader.integer<std::uint32_t>();
    block.plain = reader.integer<std::uint32_t>();
    block.chunks = reader.integer<std::uint32_t>();
    block.role = static_cast<format::BlockRole>(reader.integer<std::uint8_t>());
    block.method = static_cast<format::BlockMethod>(reader.integer<std::uint8_t>());
    std::ranges::copy(reader.take(block.tag.size()), block.tag.begin());
  }
  return pack_info(name, size, {header.begin(), header.end()}, std::move(blocks));
}

std::unique_ptr<LocationTable> transcribe(const cache::LocationTables& tables, const Told& told,
                                          const std::vector<const LocationTable*>& present,
                                          const std::function<bool(const ObjectName&)>& keep,
                                          std::vector<const LocationTable*>& merged) {
  const auto chosen = choose(present, told.chunks);
  std::uint64_t most = told.chunks;
  for (const auto* table : chosen) most += table->chunk_count();
  auto writer = tables.start(most);
  std::set<ObjectName> added;
  std::vector<Input> inputs;
  auto sources = told.sources;
  inputs.push_back(input_of(told, writer, added));
  for (const auto* table : chosen) {
    inputs.push_back(input_of(*table, writer, added, keep));
    sources.insert(sources.end(), table->sources().begin(), table->sources().end());
  }
  merge(inputs, writer);
  auto table = tables.open(writer.finish(sources));
  if (!table) throw Error(Code::failed, "a table that was just written cannot be read", "the cache");
  merged = chosen;
  return table;
}

}  // namespace mbu::repo
