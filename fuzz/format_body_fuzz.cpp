#include "format/body.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  const ByteView bytes(data, size);
  fuzz::expect_same_bytes(bytes, format::decode_body, [&](const format::SealedBody& body) {
    return format::encode_body(body.signer, body.signature, body.signed_part, size);
  });
  return 0;
}
