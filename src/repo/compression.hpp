// zstd (RFC 8878) with contexts that are kept between calls. One thread at a time.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/scratch.hpp"
#include "mbu/types/options.hpp"

namespace mbu::repo {

class Compressor {
 public:
  explicit Compressor(Compression compression);
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  ~Compressor();

  // Whether compressing may be worth it: false when it is switched off, and for what looks random by a sample and does not shrink when the
  // first 64 KiB of it are compressed quickly. True for less than 8 KiB, of which a sample tells nothing.
  [[nodiscard]] bool is_promising(ByteView plain);
  // Compresses into `to`, whose size becomes that of the frame. False, and `to` unspecified, when it is not worth it: less than
  // 1/32 saved counts as nothing.
  [[nodiscard]] bool compress(ByteView plain, Scratch& to);
  // Always a frame.
  [[nodiscard]] ByteBuffer frame(ByteView plain);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  Compression compression_;
  Scratch trial_;
};

class Decompressor {
 public:
  Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // Fills `plain` exactly. False when the frame is malformed, of another length, or not what FORMAT.md §1 allows.
  [[nodiscard]] bool decompress(ByteView frame, MutableBytes plain);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace mbu::repo
