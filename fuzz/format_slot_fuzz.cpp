#include "format/slot.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  const ByteView bytes(data, size);
  fuzz::expect_same_bytes(bytes, format::decode_slot, format::encode_slot);
  if (const auto slot = fuzz::decoded([&] { return format::decode_slot(bytes, fuzz::kSubject); })) {
    fuzz::require(format::slot_wrap_aad_input(bytes).size() + slot->wrapped.size() == size, "the parts do not add up");
  }
  static_cast<void>(fuzz::decoded([&] { return format::slot_wrap_aad_input(bytes); }));
  return 0;
}
