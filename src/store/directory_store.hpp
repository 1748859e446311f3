// A repository in a local directory (FORMAT.md §2).
//
// A put writes `.mbu-tmp-*` in the folder of its kind under flock, syncs it, renames it to its name and syncs the folder. A lock
// that nobody holds tells a broken writer's file from a living one's without asking a clock.
#pragma once

#include "store/store.hpp"

namespace mbu::store {

class DirectoryStore final : public Store {
 public:
  explicit DirectoryStore(std::string root);

  std::string location() const override { return root_; }
  std::optional<ByteBuffer> read_config() override;
  void create(ByteView config, const std::vector<std::pair<Folder, ByteBuffer>>& first) override;
  std::vector<Listed> list(Folder folder, bool with_sizes) override;
  std::uint64_t size(Folder folder, const ObjectName& name) override;
  void read_at(Folder folder, const ObjectName& name, std::uint64_t offset, MutableBytes to) override;
  ByteBuffer read(Folder folder, const ObjectName& name) override;
  std::unique_ptr<ObjectWriter> start(Folder folder) override;
  void remove(Folder folder, const ObjectName& name) override;
  void make_durable(const std::vector<ObjectName>& packs) override;
  std::size_t clean() override;
  std::optional<std::string> own_directory() const override { return root_; }

 private:
  [[nodiscard]] std::vector<Listed> list_what_is_there(Folder folder, bool with_sizes) const;
  [[nodiscard]] std::string path_of(Folder folder, const ObjectName& name) const;
  std::string root_;
};

}  // namespace mbu::store
