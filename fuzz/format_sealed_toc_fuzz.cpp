#include "format/body.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  fuzz::expect_same_bytes({data, size}, format::decode_sealed_toc_plain, [](const format::SealedToc& toc) {
    return format::encode_sealed_toc_plain(toc.signer, toc.plain_length, toc.compressed);
  });
  return 0;
}
