#include "format/slot.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_value({data, size}, format::decode_writer_credential, format::encode_writer_credential);
  return 0;
}
