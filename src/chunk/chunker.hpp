// Content-defined chunking: where a stream of bytes is cut depends on the bytes around the cut, so that an insertion moves
// no cut behind it. FastCDC (Xia et al., USENIX ATC 2016 and TPDS 2020) over a gear table that is secret to a domain, so
// that the lengths of chunks tell nothing to who does not hold the key.
//
// Data that looks random is cut more coarsely: small chunks gain nothing there but a longer index. Whether a chunk is coarse follows from
// the bytes it begins with and from nothing else, so that cuts stay where they are when something changes before them.
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

  // For data that looks random: four and five sevenths of the maximum, 256 and 320 KiB unless told otherwise.
  [[nodiscard]] Parameters coarse() const noexcept;
};

class Chunker {
 public:
  // `gear` must outlive the chunker.
  Chunker(const GearTable& gear, Parameters parameters) noexcept;

  [[nodiscard]] const Parameters& parameters() const noexcept { return fine_.parameters; }

  // The length of the first chunk of `data`, which starts where a chunk starts. 0 when it takes more of the stream to tell, which is never
  // so for parameters().maximum bytes; `data` is not empty or the stream has ended.
  [[nodiscard]] std::size_t cut(ByteView data, bool stream_ends_here) const noexcept;

 private:
  // One class of chunks.
  struct Class {
    explicit Class(const Parameters& parameters) noexcept;
    Parameters parameters;
    std::uint64_t strict_threshold;   // before the normal size: cuts are rarer
    std::uint64_t relaxed_threshold;  // after it: more frequent, which gathers the sizes around normal
  };

  const GearTable* gear_;
  Class fine_, coarse_;
};

}  // namespace mbu::chunk
