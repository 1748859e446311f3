// Shelf: where chunks of small files wait until there are enough of them to put like beside like, since a block compresses the
// better the more its chunks have in common. Files of one name (translations, licences, build files) lie in many directories; files of
// one extension in one directory come next.
//
// One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "format/entry.hpp"

namespace mbu::ingest {

class Shelf {
 public:
  // `room_bytes`: how much it takes.
  explicit Shelf(std::size_t room_bytes) : room_bytes_(room_bytes) {}

  [[nodiscard]] bool has_room_for(std::size_t bytes) const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }

  // Precondition: there is room. `file_name` is the last component of the path.
  void add(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name);

  // Hands everything on, like beside like, and is empty then. `take` must not add to this shelf.
  using Take = std::function<void(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name)>;
  void clear_into(const Take& take);

 private:
  struct Item {
    format::ChunkRef chunk;
    std::size_t offset;
    std::string file_name;
  };
  std::size_t room_bytes_;
  ByteBuffer bytes_;
  std::vector<Item> items_;
};

}  // namespace mbu::ingest
