// Locks: what instances tell each other about deletion (FORMAT.md §11). Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "mbu/types/ids.hpp"

namespace mbu::format {

enum class LockKind : std::uint8_t { intent = 1, acknowledgement = 2, tombstones = 3 };

struct Lock {
  LockKind kind = LockKind::intent;
  InstanceId instance;
  std::uint64_t number = 0;               // intent, acknowledgement: from 1, of the instance's objects
  std::optional<ObjectName> previous;     // intent, acknowledgement: none exactly when number is 1
  std::int64_t time_ns = 0;               // since 1970
  std::optional<ObjectName> predecessor;  // tombstones: the set it follows; none: the first
  std::vector<ObjectName> packs;          // tombstones, intent
  std::optional<ObjectName> acknowledged;  // acknowledgement: the tombstone set; always there
  bool operator==(const Lock&) const = default;
};

// Preconditions: what the members say; members of other kinds are not set.
[[nodiscard]] ByteBuffer encode_lock(const Lock& lock);
// Throws Code::corrupt.
[[nodiscard]] Lock decode_lock(ByteView bytes, const std::string& subject);

}  // namespace mbu::format
