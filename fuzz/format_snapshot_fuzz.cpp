#include "format/snapshot.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_value({data, size}, format::decode_snapshot, format::encode_snapshot);
  return 0;
}
