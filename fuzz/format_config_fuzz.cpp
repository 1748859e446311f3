#include "format/config.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  try {
    const auto decoded = format::decode_config({data, size}, fuzz::kSubject);
    const auto head = format::encode_config_head(decoded.config);
    fuzz::require(std::equal(head.begin(), head.end(), decoded.head.begin(), decoded.head.end()), "the head differs");
  } catch (const Error& error) {
    const bool newer = error.code() == Code::failed && error.happened() == "was made by a newer mbu";
    fuzz::require(newer || error.code() == Code::corrupt, "an error blames something else than the input");
  }
  return 0;
}
