// Tables of contents drawn at random.
#pragma once

#include "format/toc.hpp"
#include "support.hpp"

namespace mbu::format::test {

inline void add_block(Random& random, Toc& toc) {
  BlockEntry block;
  constexpr BlockRole kRoles[] = {BlockRole::data, BlockRole::list, BlockRole::page, BlockRole::inlined};
  block.role = kRoles[random.below(4)];
  block.chunks = 1 + static_cast<std::uint32_t>(random.below(8));
  for (std::uint32_t i = 0; i < block.chunks; ++i) {
    const auto length = 1 + static_cast<std::uint32_t>(random.below(100'000));
    toc.chunks.push_back({random.id<ChunkId>(), length});
    block.plain += length;
  }
  block.method = random.coin() ? BlockMethod::zstd : BlockMethod::raw;
  block.stored = block.method == BlockMethod::raw ? block.plain : 1 + static_cast<std::uint32_t>(random.below(block.plain));
  block.tag = random.array<kTagSize>();
  toc.blocks.push_back(block);
}

inline Toc some_toc(Random& random, std::size_t blocks, bool padded = false) {
  Toc toc;
  for (; blocks > 0; --blocks) add_block(random, toc);
  if (padded) toc.blocks.push_back({100, 100, 0, BlockRole::padding, BlockMethod::raw, random.array<kTagSize>()});
  return toc;
}

}  // namespace mbu::format::test
