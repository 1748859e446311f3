#include "ingest/content_builder.hpp"

#include "../repo/support.hpp"
#include "ingest/chunk_store.hpp"
#include "tree/reader.hpp"

namespace mbu::ingest {
namespace {

class ContentBuilderTest : public repo::test::RepositoryTest {
 protected:
  // What becomes of these chunks, stored.
  format::Content build(const std::vector<format::ChunkRef>& chunks) {
    auto index = load_index();
    ChunkStore store(*vault_, index, {});
    auto& sink = store.make_sink();
    ContentBuilder builder;
    std::uint64_t sum = 0;
    for (const auto& chunk : chunks) {
      builder.add(chunk, sink);
      sum += chunk.length;
    }
    EXPECT_EQ(builder.bytes(), sum);
    auto content = builder.finish(sink);
    store.finish();
    new_chunks_ = store.counters().page_chunks + store.counters().data_chunks;
    return content;
  }
  std::vector<format::ChunkRef> some_chunks(std::size_t count) {
    std::vector<format::ChunkRef> chunks;
    for (; count > 0; --count) chunks.push_back({random_.id<ChunkId>(), 1 + static_cast<std::uint32_t>(random_.below(9999))});
    return chunks;
  }
  std::vector<format::ChunkRef> read(const format::Content& content) {
    const auto index = load_index();
    std::vector<format::ChunkRef> chunks;
    tree::TreeReader(*vault_, index).for_each_chunk(content, "/file", [&](const format::ChunkRef& chunk) {
      chunks.push_back(chunk);
    });
    return chunks;
  }
  std::uint64_t new_chunks_ = 0;
};

TEST_F(ContentBuilderTest, KeepsFewChunksInPlace) {
  EXPECT_EQ(build({}).kind, format::Content::Kind::empty);
  for (const std::size_t count : {1u, 16u}) {
    const auto chunks = some_chunks(count);
    const auto content = build(chunks);
    EXPECT_EQ(content.kind, format::Content::Kind::direct);
    EXPECT_EQ(content.chunks, chunks);
  }
}

TEST_F(ContentBuilderTest, MakesATreeOfMany) {
  for (const std::size_t count : {17u, 33u, 1025u, 20'000u}) {
    const auto chunks = some_chunks(count);
    const auto content = build(chunks);
    EXPECT_EQ(content.kind, format::Content::Kind::tree);
    EXPECT_EQ(read(content), chunks);
  }
}

TEST_F(ContentBuilderTest, GivesEqualChunksOneTree) {
  const auto chunks = some_chunks(2000);
  EXPECT_EQ(build(chunks), build(chunks));
  EXPECT_EQ(new_chunks_, 0u);
}

}  // namespace
}  // namespace mbu::ingest
