// Shelf: where chunks of files whose name comes again and again wait for others of that name. Translations, licences and build files
// lie in many directories and have more in common than with what lies beside them; a block compresses the better the more its chunks
// have in common.
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
  explicit Shelf(std::size_t room_bytes) : room_bytes_(room_bytes), seen_(kCounters) {}

  // Counts the name of a file, the last component of its path. Whether its chunks should be added: it was here a few times before.
  [[nodiscard]] bool is_for(std::string_view file_name);
  [[nodiscard]] bool has_room_for(std::size_t bytes) const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }

  // Precondition: there is room.
  void add(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name);

  // Hands everything on, name by name, and is empty then. `take` must not add to this shelf.
  using Take = std::function<void(const format::ChunkRef& chunk, ByteView bytes, std::string_view file_name)>;
  void clear_into(const Take& take);

 private:
  struct Item {
    format::ChunkRef chunk;
    std::size_t offset;
    std::string file_name;
  };
  static constexpr std::size_t kCounters = 1U << 17;

  std::size_t room_bytes_;
  ByteBuffer bytes_;
  std::vector<Item> items_;
  std::vector<std::uint8_t> seen_;  // by hash of the name; that two names share a counter does no harm
  std::size_t counted_ = 0;
};

}  // namespace mbu::ingest
