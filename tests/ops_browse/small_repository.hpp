// A repository made by hand, object by object, so that trees can be in it that no file system here would hold.
//
// Put files, lists and pages in, call finish(), read. One thread.
#pragma once

#include <memory>
#include <optional>

#include "../support/temporary_directory.hpp"
#include "format/chunk_list.hpp"
#include "format/page.hpp"
#include "ingest/chunk_store.hpp"
#include "repo/chunk_index.hpp"
#include "repo/context.hpp"
#include "store/directory_store.hpp"

namespace mbu::test {

// What an operation told.
struct Told final : EventSink {
  std::vector<std::string> notes, warnings, problems;
  void note(const std::string& text) override { notes.push_back(text); }
  void warning(const std::string& text) override { warnings.push_back(text); }
  void problem(const Problem& problem) override { problems.push_back(problem.path); }
};

class SmallRepository {
 public:
  SmallRepository() {
    InitOptions cheap;
    cheap.memory_kib = 8 * 1024;
    cheap.passes = 3;
    (void)repo::Vault::create(store(), password(), cheap, "test");
    vault_ = repo::Vault::open(store(), {.obtain = [] { return password(); }});
    writer_ = std::make_unique<ingest::ChunkStore>(*vault_, nothing_, ingest::ChunkStore::Options{{}, true, false});
    sink_ = &writer_->make_sink();
  }

  ChunkId put(format::BlockRole role, ByteView bytes) { return sink_->put(role, bytes); }

  // Content of one chunk for each text.
  format::Content chunks(const std::vector<std::string>& texts) {
    format::Content content;
    content.kind = format::Content::Kind::direct;
    for (const auto& text : texts) content.chunks.push_back(chunk(text));
    return content;
  }
  // The same behind a list.
  format::Content list(const std::vector<std::string>& texts) {
    format::ChunkList list;
    for (const auto& text : texts) list.items.push_back({chunk(text).id, text.size()});
    format::Content content;
    content.kind = format::Content::Kind::tree;
    content.tree = put(format::BlockRole::list, format::encode_chunk_list(list));
    return content;
  }

  // A directory's root page; entries must be in order of their names.
  ChunkId page(std::vector<format::Entry> entries) {
    format::Page page;
    page.entries = std::move(entries);
    return put(format::BlockRole::page, format::encode_page(page));
  }
  ChunkId page(format::Page page) { return put(format::BlockRole::page, format::encode_page(page)); }

  void finish() {
    writer_->finish();
    index_ = repo::ChunkIndex::load(*vault_, [](const CheckReport::Finding&) {});
  }

  [[nodiscard]] const repo::Vault& vault() const { return *vault_; }
  [[nodiscard]] const repo::ChunkIndex& index() const { return index_; }
  [[nodiscard]] repo::Context context() { return {*vault_, cache_, *state_, events_, interrupt_, 1, {}, true}; }
  [[nodiscard]] Told& told() { return told_; }
  [[nodiscard]] Interrupt& interrupt() { return interrupt_; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

 private:
  static Password password() {
    std::string text = "secret";
    return Password::take(text.data(), text.size());
  }
  std::unique_ptr<store::Store> store() { return std::make_unique<store::DirectoryStore>(directory_ / "repository"); }
  format::ChunkRef chunk(const std::string& text) {
    return {put(format::BlockRole::data, as_bytes(text)), static_cast<std::uint32_t>(text.size())};
  }

  TemporaryDirectory directory_;
  std::unique_ptr<repo::Vault> vault_;
  repo::ChunkIndex nothing_;
  repo::ChunkIndex index_;
  std::unique_ptr<ingest::ChunkStore> writer_;
  ingest::ChunkSink* sink_ = nullptr;
  Told told_;
  SerialEvents events_{&told_};
  cache::Cache cache_;
  std::unique_ptr<cache::State> state_ = std::make_unique<cache::State>("", RepositoryId{});
  Interrupt interrupt_;
};

inline format::Entry entry(const std::string& name, EntryType type, std::uint16_t mode = 0644) {
  format::Entry made;
  made.name = name;
  made.type = type;
  made.mode = mode;
  made.uid = 1000;
  made.gid = 100;
  made.user = "someone";
  made.group = "users";
  made.mtime = {1'700'000'000, 123'456'789};
  return made;
}

inline format::Entry file(const std::string& name, format::Content content, std::uint64_t size) {
  auto made = entry(name, EntryType::regular);
  made.content = std::move(content);
  made.size = size;
  return made;
}

inline format::Entry directory(const std::string& name, const ChunkId& page) {
  auto made = entry(name, EntryType::directory, 0755);
  made.directory = page;
  return made;
}

inline format::Entry sparse(const std::string& name, format::Content content, std::uint64_t size,
                            const std::vector<format::DataRun>& runs) {
  auto made = file(name, std::move(content), size);
  made.sparse = std::make_unique<format::SparseMap>();
  made.sparse->encoded = format::encode_sparse_map(runs);
  return made;
}

// Entries are not copied anywhere else: they own their sparse maps.
template <class... Entry>
std::vector<format::Entry> entries(Entry&&... each) {
  std::vector<format::Entry> all;
  (all.push_back(std::move(each)), ...);
  return all;
}

}  // namespace mbu::test
