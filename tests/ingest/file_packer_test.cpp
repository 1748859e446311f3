#include "ingest/file_packer.hpp"

#include "../repo/support.hpp"
#include "ingest/chunk_store.hpp"
#include "ingest/large_file.hpp"
#include "tree/reader.hpp"

namespace mbu::ingest {
namespace {

constexpr std::uint64_t kRun = 100'000;

// A sparse file of two runs that is longer whenever it is looked at than when it is read.
class ShrinkingFile final : public source::OpenFile {
 public:
  explicit ShrinkingFile(std::uint64_t readable) : readable_(readable) {}
  os::FileStatus status() const override {
    os::FileStatus status{};
    status.type = EntryType::regular;
    status.size = 4 * kRun;
    status.blocks = 2 * kRun / 512;
    status.mtime = {1, ++looks_};
    return status;
  }
  std::size_t read_at(MutableBytes to, std::uint64_t offset) const override {
    const auto end = std::max(offset, readable_);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), end - offset));
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::uint8_t>((offset + i) % 251);
    return n;
  }
  // The last run was longer still when it was asked for.
  std::vector<format::DataRun> data_runs() const override { return {{kRun, kRun}, {3 * kRun, 5 * kRun}}; }
  std::vector<format::Attribute> attributes() const override { return {}; }

 private:
  std::uint64_t readable_;
  mutable std::uint32_t looks_ = 0;
};

class OneFile final : public source::Directory {
 public:
  explicit OneFile(std::uint64_t readable) : readable_(readable) {}
  std::vector<source::Item> list(const OnError&) override { return {}; }
  std::shared_ptr<Directory> open_directory(const source::Item&) const override { return nullptr; }
  std::unique_ptr<source::OpenFile> open_file(const source::Item&) const override {
    return std::make_unique<ShrinkingFile>(readable_);
  }
  format::Entry describe(const source::Item&) const override { return {}; }

 private:
  std::uint64_t readable_;
};

class FilePackerTest : public repo::test::RepositoryTest {
 protected:
  // What was kept of the file: every byte where it was, and nothing behind what could be read.
  void expect_whole_up_to(const PackedFile& packed, std::uint64_t readable) {
    EXPECT_TRUE(packed.torn);
    EXPECT_EQ(packed.status.size, readable);
    const auto index = load_index();
    tree::TreeReader reader(*vault_, index);
    format::Entry entry;
    entry.size = packed.status.size;
    if (packed.sparse) entry.sparse = std::make_unique<format::SparseMap>(*packed.sparse);
    const auto runs = reader.data_runs(entry, "/file");
    const auto bytes = reader.read_all(packed.content, "/file", 1U << 30);
    std::size_t position = 0;
    for (const auto& run : runs) {
      ASSERT_LE(position + run.length, bytes.size());
      for (std::uint64_t i = 0; i < run.length; ++i) ASSERT_EQ(bytes[position++], (run.offset + i) % 251);
    }
    EXPECT_EQ(position, bytes.size());
  }
  template <class Pack>
  PackedFile packed(Pack pack) {
    auto index = load_index();
    ChunkStore store(*vault_, index, {});
    const auto& c = vault_->constitution().chunker;
    FilePacker packer(chunk::Chunker(vault_->keyring().own_domain().gear, {c.minimum, c.normal, c.maximum}), store.make_sink());
    auto result = pack(packer);
    store.finish();
    return result;
  }
};

constexpr std::uint64_t kEnds[] = {4 * kRun, 3 * kRun + 7, 2 * kRun, kRun + 1};

TEST_F(FilePackerTest, KeepsOffsetsOfASparseFileThatShrinks) {
  for (const auto readable : kEnds) {
    SCOPED_TRACE(readable);
    const auto file = packed([&](FilePacker& packer) { return packer.pack(OneFile(readable), {"file", {}}); });
    expect_whole_up_to(file, readable);
  }
}

TEST_F(FilePackerTest, KeepsNothingOfASparseFileThatLosesItsData) {
  const auto file = packed([&](FilePacker& packer) { return packer.pack(OneFile(kRun / 2), {"file", {}}); });
  expect_whole_up_to(file, 0);
}

TEST_F(FilePackerTest, KeepsOffsetsWhenWorkersShareTheFile) {
  for (const auto readable : kEnds) {
    SCOPED_TRACE(readable);
    const auto file = packed([&](FilePacker& packer) {
      LargeFile large(OneFile(readable), {"file", {}}, 1);
      for (;;) {
        EXPECT_TRUE(large.work(packer, [](std::uint64_t) {}));
        if (auto result = large.result(packer)) return std::move(*result);
      }
    });
    expect_whole_up_to(file, readable);
  }
}

}  // namespace
}  // namespace mbu::ingest
