#include "format/slot.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  if (size > 16 * 1024) return 0;  // longer names are read, but not written
  fuzz::expect_same_bytes({data, size}, format::decode_slot_label, format::encode_slot_label);
  return 0;
}
