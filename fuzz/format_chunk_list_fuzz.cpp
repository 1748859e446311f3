#include "format/chunk_list.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_bytes({data, size}, format::decode_chunk_list, format::encode_chunk_list);
  return 0;
}
