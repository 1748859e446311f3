// The first byte chooses the kind that is expected.
#include "format/header.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mbu;
  if (size == 0) return 0;
  constexpr format::ObjectKind kKinds[] = {format::ObjectKind::pack, format::ObjectKind::index,
                                           format::ObjectKind::snapshot, format::ObjectKind::statement,
                                           format::ObjectKind::lock};
  const auto kind = kKinds[data[0] % std::size(kKinds)];
  const ByteView bytes(data + 1, size - 1);
  const auto header = fuzz::decoded([&] { return format::decode_header(bytes, kind, fuzz::kSubject); });
  if (!header) return 0;
  const auto written = format::encode_header(*header);
  fuzz::require(std::equal(written.begin(), written.end(), bytes.begin()), "what was read is written otherwise");
  return 0;
}
