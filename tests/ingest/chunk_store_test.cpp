#include "ingest/chunk_store.hpp"

#include "../repo/support.hpp"

namespace mbu::ingest {
namespace {

using format::BlockRole;

class ChunkStoreTest : public repo::test::RepositoryTest {
 protected:
  repo::ChunkIndex load_index(const cache::LocationTables* tables) {
    return repo::ChunkIndex::load(*vault_, [](const CheckReport::Finding& finding) { ADD_FAILURE() << finding.message; },
                                  {.tables = tables, .chunks_for_table = 0});
  }
  // Enough for a pack.
  std::vector<ByteBuffer> make_chunks() {
    std::vector<ByteBuffer> chunks;
    for (int i = 0; i < 40; ++i) chunks.push_back(random_.bytes(1U << 20));
    return chunks;
  }
  static void put(ChunkSink& sink, const std::vector<ByteBuffer>& chunks) {
    for (const auto& bytes : chunks) (void)sink.put(BlockRole::data, bytes);
  }

  crypto::Key key_ = crypto::random_key();
  cache::LocationTables tables_{directory_ / "cache", key_};
};

TEST_F(ChunkStoreTest, IndexesItsPacksAsItGoesOn) {
  const auto one = make_chunks(), two = make_chunks();
  auto index = load_index(&tables_);
  ChunkStore store(*vault_, index, {.compression = {}, .chunks_in_memory = 10});
  auto& sink = store.make_sink();
  put(sink, one);
  const auto indexes = [&] { return vault_->store().list(store::Folder::indexes, false).size(); };
  EXPECT_EQ(indexes(), 1u);
  EXPECT_EQ(tables_.open_all().size(), 1u);
  // What the index took in is known by it, what is still to be published by the claims.
  const auto chunks = store.counters().data_chunks.load();
  put(sink, one);
  EXPECT_EQ(store.counters().data_chunks, chunks);
  put(sink, two);
  store.finish();
  EXPECT_EQ(store.packs_used().size(), vault_->store().list(store::Folder::packs, false).size());
  EXPECT_EQ(store.counters().data_chunks, one.size() + two.size());

  const auto again = load_index(nullptr);
  for (const auto* all : {&one, &two}) {
    for (const auto& bytes : *all) EXPECT_TRUE(again.find(repo::chunk_id(domain(), BlockRole::data, bytes)));
  }
}

TEST_F(ChunkStoreTest, StoresEverythingOnceWithoutTables) {
  const auto chunks = make_chunks();
  auto index = load_index(nullptr);
  ChunkStore store(*vault_, index, {.compression = {}, .chunks_in_memory = 10});
  auto& sink = store.make_sink();
  put(sink, chunks);
  put(sink, chunks);
  store.finish();
  EXPECT_EQ(store.counters().data_chunks, chunks.size());
}

TEST_F(ChunkStoreTest, SaysWhichPacksItLeansOn) {
  const auto chunks = make_chunks();
  {
    auto index = load_index(&tables_);
    ChunkStore store(*vault_, index, {});
    put(store.make_sink(), chunks);
    store.finish();
  }
  auto index = load_index(&tables_);
  ChunkStore store(*vault_, index, {});
  auto& sink = store.make_sink();
  EXPECT_TRUE(store.packs_used().empty());
  put(sink, {chunks[0]});
  EXPECT_EQ(store.packs_used().size(), 1u);
  EXPECT_EQ(store.counters().data_chunks, 0u);
}

}  // namespace
}  // namespace mbu::ingest
