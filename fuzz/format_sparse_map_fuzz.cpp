// The first eight bytes are the size of the file.
#include "format/entry.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  if (size < 8) return 0;
  const std::uint64_t file = load<std::uint64_t>({data, 8}) & format::kLargestFile;
  fuzz::expect_same_bytes({data + 8, size - 8},
                          [&](ByteView bytes, const std::string&) { return format::decode_sparse_map(bytes, file); },
                          format::encode_sparse_map);
  return 0;
}
