#include "format/toc.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_bytes({data, size}, format::decode_trailer, format::encode_trailer);
  return 0;
}
