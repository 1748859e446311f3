// A tree that needs no disk:  bench_large_tree REPOSITORY-DIRECTORY [FILES [FILES-IN-A-DIRECTORY [BYTES]]]
//
// Packages so many files (default: 10 million, 1,000 in a directory, 100 bytes each, each its own) that exist in no file system, through the
// interface that the walk of a real one has. Shows that memory does not grow with the tree, and what a file costs.
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>

#include "bench/measure.hpp"
#include "ingest/packager.hpp"

namespace {

using namespace mbu;

struct Shape {
  std::uint64_t files, files_in_directory, bytes;
  [[nodiscard]] std::uint64_t directories() const { return (files + files_in_directory - 1) / files_in_directory; }
};

os::FileStatus status_of(EntryType type, std::uint64_t inode, std::uint64_t size) {
  os::FileStatus status{};
  status.type = type;
  status.mode = type == EntryType::directory ? 0755 : 0644;
  status.nlink = 1;
  status.ino = inode;
  status.size = size;
  status.blocks = (size + 511) / 512;
  status.mtime = status.ctime = {1'700'000'000 + static_cast<std::int64_t>(inode % 1'000'000), 0};
  return status;
}

class File : public source::OpenFile {
 public:
  explicit File(const source::Item& item) : status_(item.status) {}
  [[nodiscard]] os::FileStatus status() const override { return status_; }
  [[nodiscard]] std::size_t read_at(MutableBytes to, std::uint64_t offset) const override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), status_.size - std::min(offset, status_.size)));
    const auto text = fmt::format("file {} of a tree that is on no disk ", status_.ino);
    for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<std::uint8_t>(text[(offset + i) % text.size()]);
    return size;
  }
  [[nodiscard]] std::vector<format::DataRun> data_runs() const override { return {{0, status_.size}}; }
  [[nodiscard]] std::vector<format::Attribute> attributes() const override { return {}; }

 private:
  os::FileStatus status_;
};

// The root holds directories of directories of files, 1,000 to each.
class Directory : public source::Directory {
 public:
  Directory(const Shape& shape, unsigned depth, std::uint64_t number) : shape_(shape), depth_(depth), number_(number) {}

  [[nodiscard]] std::vector<source::Item> list(const OnError&) override {
    std::vector<source::Item> items;
    const auto add = [&](std::uint64_t begin, std::uint64_t end, EntryType type, std::uint64_t size) {
      for (auto i = begin; i < end; ++i) items.push_back({fmt::format("{:012}", i), status_of(type, i + 1, size)});
    };
    constexpr std::uint64_t kWide = 1000;
    if (depth_ == 0) add(0, (shape_.directories() + kWide - 1) / kWide, EntryType::directory, 0);
    if (depth_ == 1) add(number_ * kWide, std::min(shape_.directories(), (number_ + 1) * kWide), EntryType::directory, 0);
    if (depth_ == 2) {
      const auto begin = number_ * shape_.files_in_directory;
      add(begin, std::min(shape_.files, begin + shape_.files_in_directory), EntryType::regular, shape_.bytes);
    }
    return items;
  }
  [[nodiscard]] std::shared_ptr<source::Directory> open_directory(const source::Item& item) const override {
    return std::make_shared<Directory>(shape_, depth_ + 1, item.status.ino - 1);
  }
  [[nodiscard]] std::unique_ptr<source::OpenFile> open_file(const source::Item& item) const override {
    return std::make_unique<File>(item);
  }
  [[nodiscard]] format::Entry describe(const source::Item& item) const override {
    format::Entry entry;
    entry.name = item.name;
    entry.type = item.status.type;
    entry.mode = static_cast<std::uint16_t>(item.status.mode);
    entry.mtime = item.status.mtime;
    if (entry.is_regular()) entry.size = item.status.size;
    return entry;
  }

 private:
  const Shape& shape_;
  unsigned depth_;
  std::uint64_t number_;
};

class Tree : public source::Source {
 public:
  explicit Tree(const Shape& shape) : shape_(shape) {}
  [[nodiscard]] std::shared_ptr<source::Directory> root() override { return std::make_shared<Directory>(shape_, 0, 0); }

 private:
  Shape shape_;
};

Password password() {
  char text[] = "bench";
  return Password::take(text, 5);
}

std::uint64_t number_of(int count, char** arguments, int index, std::uint64_t otherwise) {
  return count > index ? std::strtoull(arguments[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: bench_large_tree REPOSITORY-DIRECTORY [FILES [FILES-IN-A-DIRECTORY [BYTES]]]\n");
    return 2;
  }
  const std::string place = arguments[1];
  const Shape shape{number_of(count, arguments, 2, 10'000'000), number_of(count, arguments, 3, 1000),
                    number_of(count, arguments, 4, 100)};
  (void)repo::Vault::create(store::open_store(place), password(), InitOptions{}, "bench");
  const auto vault = repo::Vault::open(store::open_store(place), {.obtain = password});
  cache::Cache cache(place + ".cache", vault->keyring().cache_key(), [](const std::string&) {});
  cache::State state(place + ".state", vault->keyring().repository());
  SerialEvents events(nullptr);
  const Interrupt interrupt;
  const repo::Context context{*vault, cache, state, events, interrupt, 2, Compression{}, true};

  bench::PeakMemory peak;
  const bench::Stopwatch watch;
  auto index = repo::ChunkIndex::load(*vault, [](const auto&) {}, {.tables = cache.location_tables(keys::main_domain())});
  ingest::ChunkStore store(*vault, index, {});
  Tree tree(shape);
  const auto result = ingest::package_tree(context, index, store, ingest::PackageRequest(tree));
  store.finish();
  cache.commit();
  const double seconds = watch.seconds();
  fmt::print("{} files, {} MB in {:.1f} s ({:.0f} files/s), {:.0f} MB stored, {:.0f} MiB anonymous at most\n", result.files,
             result.bytes / 1'000'000, seconds, static_cast<double>(result.files) / seconds,
             static_cast<double>(store.counters().stored_bytes) / 1e6, peak.stop());
}
