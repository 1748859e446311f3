// A repository of the test's own, made as cheaply as a password allows.
#pragma once

#include "../support/expect.hpp"
#include "../support/random.hpp"
#include "../support/temporary_directory.hpp"
#include "repo/chunk_index.hpp"
#include "repo/envelope.hpp"
#include "repo/index_object.hpp"
#include "repo/pack_writer.hpp"
#include "repo/snapshots.hpp"
#include "repo/vault.hpp"

namespace mbu::repo::test {

using namespace mbu::test;

inline Password password_of(std::string text) { return Password::take(text.data(), text.size()); }

inline InitOptions cheap_init() {
  InitOptions init;
  init.memory_kib = 8192;
  init.passes = 3;
  return init;
}

class RepositoryTest : public testing::Test {
 protected:
  RepositoryTest() {
    (void)Vault::create(store::open_store(root_), password_of("secret"), cheap_init(), "me@here");
    vault_ = open();
  }

  [[nodiscard]] std::unique_ptr<Vault> open(const std::string& password = "secret") const {
    return Vault::open(store::open_store(root_), {.obtain = [&] { return password_of(password); }});
  }
  [[nodiscard]] store::Store& store() const { return vault_->store(); }
  [[nodiscard]] const keys::Keyring& keyring() const { return vault_->keyring(); }
  [[nodiscard]] const keys::DomainKeys& domain() const { return keyring().own_domain(); }

  [[nodiscard]] std::string file_of(store::Folder folder, const ObjectName& name) const {
    return root_ + '/' + store::object_path(folder, name);
  }

  // A pack with one block for each of `blocks`, each block one chunk.
  format::IndexedPack write_pack(const std::vector<ByteBuffer>& blocks, format::BlockRole role = format::BlockRole::data) {
    return indexed(describe_pack(blocks, role));
  }
  // The same, as its own toc has it.
  format::DescribedPack describe_pack(const std::vector<ByteBuffer>& blocks,
                                      format::BlockRole role = format::BlockRole::data) {
    PackWriter writer(*vault_, true);
    for (const auto& bytes : blocks) {
      const format::ChunkRef chunk{chunk_id(domain(), role, bytes), static_cast<std::uint32_t>(bytes.size())};
      writer.add(role, Packing::compressed, bytes, {&chunk, 1}, scratch_);
    }
    return writer.finish(scratch_);
  }

  [[nodiscard]] ChunkIndex load_index() {
    damage_.clear();
    return ChunkIndex::load(*vault_, [this](const CheckReport::Finding& finding) { damage_.push_back(finding); });
  }

  TemporaryDirectory directory_;
  std::string root_ = directory_ / "repository";
  std::unique_ptr<Vault> vault_;
  BlockScratch scratch_{Compression{}};
  Random random_{1};
  std::vector<CheckReport::Finding> damage_;
};

}  // namespace mbu::repo::test
