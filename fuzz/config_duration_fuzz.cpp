#include "config/duration.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  if (const auto ms = config::parse_duration_ms(as_text({data, size}))) {
    fuzz::require(*ms >= 0 && *ms <= std::int64_t{366} * 24 * 3600 * 1000, "a length of time is out of bounds");
  }
  return 0;
}
