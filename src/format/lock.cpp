#include "format/lock.hpp"

#include "format/flatbuffer.hpp"
#include "format/generated/lock_generated.h"

namespace mbu::format {
namespace {

// What is wrong with a lock, or null.
const char* defect_of(const Lock& lock) noexcept {
  switch (lock.kind) {
    case LockKind::intent:
    case LockKind::acknowledgement:
      if (lock.number == 0) return "has number 0";
      if ((lock.number == 1) == lock.previous.has_value()) return "has a predecessor that does not fit its number";
      if (lock.predecessor) return "follows a tombstone set without being one";
      break;
    case LockKind::tombstones: break;
    default: return "is of a kind that is not known";
  }
  if (lock.acknowledged.has_value() != (lock.kind == LockKind::acknowledgement)) {
    return "acknowledges what does not fit its kind";
  }
  if (lock.kind == LockKind::acknowledgement && !lock.packs.empty()) return "acknowledges and names packs";
  return nullptr;
}

}  // namespace

ByteBuffer encode_lock(const Lock& lock) {
  if (const char* defect = defect_of(lock)) throw Error(Code::failed, std::string("a lock ") + defect);
  flatbuffers::FlatBufferBuilder builder;
  const auto instance = detail::write_bytes(builder, lock.instance.view());
  const auto previous = detail::write_id_if_any(builder, lock.previous);
  const auto predecessor = detail::write_id_if_any(builder, lock.predecessor);
  const auto packs = detail::write_ids(builder, lock.packs);
  const auto acknowledged = detail::write_id_if_any(builder, lock.acknowledged);
  builder.Finish(fb::CreateLock(builder, static_cast<std::uint8_t>(lock.kind), instance, lock.number, previous,
                                lock.time_ns, predecessor, packs, acknowledged));
  return detail::take(builder);
}

Lock decode_lock(ByteView bytes, const std::string& subject) {
  detail::FlatReader reader(bytes, subject);
  const auto& root = reader.root<fb::Lock>();
  constexpr const char* kBadName = "refers to an object by a name of the wrong length";
  Lock lock;
  lock.kind = static_cast<LockKind>(root.kind());
  lock.instance = reader.identifier<InstanceId>(root.instance(), "has an instance id of the wrong length");
  lock.number = root.number();
  lock.previous = reader.identifier_if_any<ObjectName>(root.previous(), kBadName);
  lock.time_ns = root.time_ns();
  lock.predecessor = reader.identifier_if_any<ObjectName>(root.predecessor(), kBadName);
  lock.packs = reader.identifiers<ObjectName>(root.packs(), kBadName);
  lock.acknowledged = reader.identifier_if_any<ObjectName>(root.acknowledged(), kBadName);
  if (const char* defect = defect_of(lock)) detail::corrupt(defect, subject);
  return lock;
}

}  // namespace mbu::format
