// Entries cannot be compared as they are; equal pages have equal bytes, which says as much.
#include "format/page.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_value({data, size}, format::decode_page, format::encode_page);
  return 0;
}
