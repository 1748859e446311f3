// Content-defined chunking: where a stream of bytes is cut depends on the bytes around the cut, so that an insertion moves
// no cut behind it. FastCDC (Xia et al., USENIX ATC 2016 and TPDS 2020) over a gear table that is secret to a domain, so
// that the lengths of chunks tell nothing to who does not hold the key.
//
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace mbu::chunk {

// One random number for each byte value.
struct GearTable {
  std::array<std::uint64_t, 256> values{};
  // Precondition: bytes.size() == 2048; little-endian numbers.
  [[nodiscard]] static GearTable from(ByteView bytes) noexcept;
};

// Bytes. 64 <= minimum <= normal <= maximum; no chunk but the last of a stream is shorter than minimum, none longer than maximum.
struct Parameters {
  std::uint32_t minimum = 32 * 1024;
  std::uint32_t normal = 64 * 1024;
  std::uint32_t maximum = 448 * 1024;
};

class Chunker {
 public:
  // `gear` must outlive the chunker.
  Chunker(const GearTable& gear, Parameters parameters) noexcept;

  [[nodiscard]] const Parameters& parameters() const noexcept { return parameters_; }

  // The length of the first chunk of `data`, which starts where a chunk starts. A result as long as `data` is certain only if the stream
  // ends there or it is `maximum`. 0 only for empty data.
  [[nodiscard]] std::size_t cut(ByteView data) const noexcept;

 private:
  const GearTable* gear_;
  Parameters parameters_;
  std::uint64_t strict_threshold_;   // before the normal size: cuts are rarer
  std::uint64_t relaxed_threshold_;  // after it: more frequent, which gathers the sizes around normal
};

}  // namespace mbu::chunk
