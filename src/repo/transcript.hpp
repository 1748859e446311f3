// A transcript of index objects in a location table of the cache, merged with smaller tables that are there: tables grow in size like
// the levels of a log-structured merge tree (O'Neil et al., 1996), so that there are few of them and each chunk is copied seldom.
// Any thread.
#pragma once

#include <functional>

#include "cache/location_tables.hpp"
#include "format/index.hpp"
#include "repo/pack_reader.hpp"

namespace mbu::repo {

// What index objects say, and which these are.
struct Told {
  std::vector<format::IndexedPack> packs;
  std::vector<cache::TableSource> sources;
  std::uint64_t chunks = 0;

  void add(format::IndexedPack pack) {
    chunks += pack.toc.chunks.size();
    packs.push_back(std::move(pack));
  }
};

// Calls visit(chunk's prefix, block, offset in it, length) for each chunk of a toc.
template <class Visit>
void for_each_place(const format::IndexedToc& toc, Visit visit) {
  std::size_t next = 0;
  for (std::uint32_t block = 0; block < toc.blocks.size(); ++block) {
    std::uint32_t offset = 0;
    for (std::uint32_t i = 0; i < toc.blocks[block].chunks; ++i, ++next) {
      visit(toc.chunks[next].id, block, offset, toc.chunks[next].length);
      offset += toc.chunks[next].length;
    }
  }
}

// The pack that a table has a record of. Precondition: the record is what transcribe() wrote.
[[nodiscard]] PackInfo pack_of_record(const ObjectName& name, ByteView record);

// A new table with all of `told` and of those of `present` that should be merged with it. These are moved into `merged`, to be
// removed by the caller once nobody reads them. `keep`: whether a pack of theirs is still wanted. Throws Code::corrupt when one of them turns
// out to be damaged, Code::failed when the table cannot be written; `present` is then as it was.
[[nodiscard]] std::unique_ptr<cache::LocationTable> transcribe(
    const cache::LocationTables& tables, const Told& told, const std::vector<const cache::LocationTable*>& present,
    const std::function<bool(const ObjectName&)>& keep, std::vector<const cache::LocationTable*>& merged);

}  // namespace mbu::repo
