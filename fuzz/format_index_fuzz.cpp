#include "format/index.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_value({data, size}, format::decode_index, format::encode_index);
  return 0;
}
