#include "ingest/chunk_sink.hpp"

#include "../repo/support.hpp"
#include "ingest/chunk_store.hpp"
#include "tree/reader.hpp"

namespace mbu::ingest {
namespace {

using format::BlockMethod;
using format::BlockRole;

class ChunkSinkTest : public repo::test::RepositoryTest {
 protected:
  // Stores pieces that are cut evenly, and reads all back.
  struct Piece {
    ByteBuffer bytes;
    std::size_t chunk;
    FileHint file;
  };
  std::vector<format::DescribedPack> store(const std::vector<Piece>& pieces) {
    auto index = load_index();
    ChunkStore store(*vault_, index, {});
    auto& sink = store.make_sink();
    std::vector<std::vector<format::ChunkRef>> chunks;
    for (const auto& piece : pieces) {
      const std::vector<std::size_t> lengths(piece.bytes.size() / piece.chunk, piece.chunk);
      chunks.push_back(sink.put_file(piece.bytes, lengths, piece.file));
      EXPECT_EQ(chunks.back().size(), lengths.size());
    }
    store.finish();
    const auto after = load_index();
    tree::TreeReader reader(*vault_, after);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      ByteBuffer joined;
      for (const auto& chunk : chunks[i]) append(joined, reader.chunks().read(chunk.id, BlockRole::data, "file"));
      EXPECT_EQ(joined, pieces[i].bytes);
    }
    std::vector<format::DescribedPack> packs;
    for (const auto& name : store.packs_used()) packs.push_back(repo::read_toc(*vault_, name));
    return packs;
  }
  // How many bytes of plain data lie in blocks of that method.
  static std::uint64_t plain_bytes(const std::vector<format::DescribedPack>& packs, BlockMethod method) {
    std::uint64_t bytes = 0;
    for (const auto& pack : packs) {
      for (const auto& block : pack.toc.blocks) {
        if (block.method == method && block.role == BlockRole::data) bytes += block.plain;
      }
    }
    return bytes;
  }
  ByteBuffer text(std::size_t size) {
    ByteBuffer bytes(size);
    for (auto& b : bytes) b = static_cast<std::uint8_t>('a' + random_.below(4));
    return bytes;
  }
  static constexpr std::size_t kChunk = 64 * 1024;
};

TEST_F(ChunkSinkTest, KeepsWhatDoesNotCompressFromWhatDoes) {
  std::vector<Piece> pieces;
  for (int i = 0; i < 6; ++i) {
    // Within one piece too, where the raw chunks are runs of one to six.
    Piece piece{{}, kChunk, {"image", 100U << 20}};
    for (int k = 0; k < 8; ++k) append(piece.bytes, k < i + 1 ? random_.bytes(kChunk) : text(kChunk));
    pieces.push_back(std::move(piece));
  }
  const auto packs = store(pieces);
  EXPECT_EQ(plain_bytes(packs, BlockMethod::raw), 21 * kChunk);
  EXPECT_EQ(plain_bytes(packs, BlockMethod::zstd), 27 * kChunk);
}

TEST_F(ChunkSinkTest, StoresFilesOfTwoNamesThatFillItsShelfMoreThanOnce) {
  std::vector<Piece> pieces;
  for (int i = 0; i < 20; ++i) pieces.push_back({text(15 * kChunk), kChunk, {i % 2 == 0 ? "one.txt" : "two.txt", 15 * kChunk}});
  const auto packs = store(pieces);
  EXPECT_EQ(plain_bytes(packs, BlockMethod::zstd), 300 * kChunk);
}

TEST_F(ChunkSinkTest, StoresAChunkOnceHoweverItComes) {
  const auto bytes = text(kChunk);
  const auto packs = store({{bytes, kChunk, {"small", kChunk}}, {bytes, kChunk, {"large", 100U << 20}}});
  EXPECT_EQ(plain_bytes(packs, BlockMethod::zstd), kChunk);
}

TEST_F(ChunkSinkTest, SeesThroughNoiseThatRepeatsItself) {
  const auto noise = random_.bytes(5000);
  ByteBuffer bytes;
  while (bytes.size() < 8 * kChunk) append(bytes, noise);
  bytes.resize(8 * kChunk);
  const auto packs = store({{bytes, kChunk, {"image", 100U << 20}}});
  EXPECT_EQ(plain_bytes(packs, BlockMethod::raw), 0u);
}

}  // namespace
}  // namespace mbu::ingest
