// Reading packs: the signed table of contents, and blocks.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>

#include "format/index.hpp"
#include "repo/block_codec.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

// The pack's own toc: commitment, signature and admission of the signer checked, sizes added up. Code::corrupt naming the pack;
// Code::not_found. Any thread.
[[nodiscard]] format::DescribedPack read_toc(const Vault& vault, const ObjectName& name);

// A pack that can be read from.
struct PackInfo {
  ObjectName name;
  std::uint64_t size = 0;  // of the whole file, bytes
  DomainId domain;
  std::uint32_t generation = 0;
  ByteBuffer header;
  std::vector<format::BlockEntry> blocks;
  std::vector<std::uint64_t> offsets;  // of each block in the file
};
// `header`: the pack's.
[[nodiscard]] PackInfo pack_info(const ObjectName& name, std::uint64_t size, ByteBuffer header, std::vector<format::BlockEntry> blocks);
template <class Chunk>
[[nodiscard]] PackInfo pack_info(const format::PackOf<Chunk>& pack) {
  return pack_info(pack.name, pack.size, pack.header, pack.toc.blocks);
}

// Whether the bytes are what the id says, under the keys of the pack they came from.
[[nodiscard]] bool is_chunk(const Vault& vault, const PackInfo& pack, format::BlockRole role, ByteView bytes,
                            const ChunkId& id);

// Fetches and opens blocks, keeping the openers of the packs used last. One thread at a time.
class BlockFetcher {
 public:
  explicit BlockFetcher(const Vault& vault) : vault_(&vault), scratch_(Compression{}) {}

  // The plain bytes, valid until the next call. Chunk ids are not checked. Code::corrupt naming the pack.
  [[nodiscard]] ByteView fetch(const PackInfo& pack, std::uint32_t block);

 private:
  BlockOpener& opener_for(const PackInfo& pack);

  const Vault* vault_;
  BlockScratch scratch_;
  std::list<std::pair<ObjectName, BlockOpener>> openers_;  // used last in front
};

}  // namespace mbu::repo
