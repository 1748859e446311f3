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

// Something that is not what the listing said: of that type, and size, and with that many bytes to read.
class OddFile final : public source::OpenFile {
 public:
  OddFile(EntryType type, std::uint64_t size, std::uint64_t readable) : readable_(readable) {
    status_.type = type;
    status_.size = size;
    status_.blocks = size / 512 + 1;
  }
  os::FileStatus status() const override { return status_; }
  std::size_t read_at(MutableBytes to, std::uint64_t offset) const override {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), readable_ - std::min(readable_, offset)));
    std::fill_n(to.begin(), n, std::uint8_t{'x'});
    return n;
  }
  std::vector<format::DataRun> data_runs() const override { return {}; }
  std::vector<format::Attribute> attributes() const override { return {}; }

 private:
  os::FileStatus status_{};
  std::uint64_t readable_;
};

class OddDirectory final : public source::Directory {
 public:
  explicit OddDirectory(OddFile file) : file_(file) {}
  std::vector<source::Item> list(const OnError&) override { return {}; }
  std::shared_ptr<Directory> open_directory(const source::Item&) const override { return nullptr; }
  std::unique_ptr<source::OpenFile> open_file(const source::Item&) const override { return std::make_unique<OddFile>(file_); }
  format::Entry describe(const source::Item&) const override { return {}; }

 private:
  OddFile file_;
};

source::Item small_file(std::uint64_t size) {
  source::Item item{"file", {}};
  item.status.type = EntryType::regular;
  item.status.size = size;
  return item;
}

TEST_F(FilePackerTest, RefusesWhatTookTheNameOfAFile) {
  (void)packed([](FilePacker& packer) {
    for (const auto type : {EntryType::fifo, EntryType::character_device, EntryType::directory}) {
      const OddDirectory directory(OddFile(type, 100, 100));
      ByteBuffer to;
      test::expect_error(Code::source, "no regular file", [&] { (void)packer.read_inline(directory, small_file(100), 4096, to); });
      test::expect_error(Code::source, "no regular file", [&] { (void)packer.pack(directory, small_file(100)); });
      test::expect_error(Code::source, "no regular file", [&] { LargeFile(directory, small_file(100), 1); });
    }
    return PackedFile{};
  });
}

TEST_F(FilePackerTest, ReadsWhatSaysThatItIsEmptyUpToALimit) {
  (void)packed([](FilePacker& packer) {
    ByteBuffer to;
    auto file = packer.read_inline(OddDirectory(OddFile(EntryType::regular, 0, 4096)), small_file(0), 4096, to);
    EXPECT_EQ(file.status.size, 4096u);
    EXPECT_EQ(to.size(), 4096u);
    test::expect_error(Code::source, "holds more than 4096 bytes", [&] {
      (void)packer.read_inline(OddDirectory(OddFile(EntryType::regular, 0, 5000)), small_file(0), 4096, to);
    });
    return file;
  });
}

TEST_F(FilePackerTest, CutsStreamsWhateverTheParameters) {
  auto index = load_index();
  ChunkStore store(*vault_, index, {});
  auto& sink = store.make_sink();
  const auto bytes = random_.bytes(9'000'000);
  for (const chunk::Parameters& parameters : {chunk::Parameters{64, 1024, 4U << 20}, chunk::Parameters{1U << 20, 1U << 20, 1U << 20},
                                              chunk::Parameters{2U << 20, 4U << 20, 4U << 20}}) {
    FilePacker packer(chunk::Chunker(vault_->keyring().own_domain().gear, parameters), sink);
    for (const std::size_t size : {std::size_t{0}, std::size_t{parameters.maximum}, 2 * std::size_t{parameters.maximum}, bytes.size()}) {
      std::size_t at = 0;
      const auto stream = packer.pack_stream([&](MutableBytes to) {
        const auto n = std::min({to.size(), size - at, std::size_t{700'001}});
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
        at += n;
        return n;
      }, {});
      EXPECT_EQ(stream.bytes, size);
    }
  }
}

}  // namespace
}  // namespace mbu::ingest
