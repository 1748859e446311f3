#include "repo/compression.hpp"

#include <zstd.h>

#include <algorithm>
#include <new>

#include "chunk/entropy.hpp"

namespace mbu::repo {
namespace {

constexpr std::uint64_t kLargestWindow = 8U << 20;  // FORMAT.md §1
constexpr int kQuickLevel = -5;
constexpr std::size_t kTrial = 64U << 10;
constexpr int kMetadataLevel = 6;

// Level 3's own tables do not fit the near caches of a core beside the data. These do: a fifth faster for 1.7 % more bytes, measured
// on headers, documents and libraries (docs/PERFORMANCE.md).
constexpr int kDefaultLevel = 3;
constexpr int kHashLog = 15;
constexpr int kChainLog = 14;

bool is_worth_it(const Scratch& frame, ByteView plain) { return frame.size() < plain.size() - plain.size() / 32; }

// Whether it begins like one frame of the current format, without dictionary, whose window is not too large (RFC 8878, 3.1.1.1). The
// library's own limit of the window binds its streams only.
bool is_allowed(ByteView frame) noexcept {
  constexpr std::size_t kDescriptorAt = 4;
  constexpr std::size_t kWindowAt = 5;
  constexpr std::uint8_t kSingleSegment = 0x20;
  if (frame.size() <= kWindowAt || load<std::uint32_t>(frame) != ZSTD_MAGICNUMBER) return false;
  if (ZSTD_getDictID_fromFrame(frame.data(), frame.size()) != 0) return false;
  if ((frame[kDescriptorAt] & kSingleSegment) != 0) {  // its window is its content
    return ZSTD_getFrameContentSize(frame.data(), frame.size()) <= kLargestWindow;
  }
  const std::uint64_t base = std::uint64_t{1} << (10 + (frame[kWindowAt] >> 3));
  return base + base / 8 * (frame[kWindowAt] & 7u) <= kLargestWindow;
}

}  // namespace

struct Compressor::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  Context() {
    if (zstd == nullptr) throw std::bad_alloc();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ZSTD_freeCCtx(zstd); }

  bool run(ByteView plain, Scratch& to, int level) {
    const auto space = to.resize(ZSTD_compressBound(plain.size()));
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, level == kDefaultLevel ? kHashLog : 0);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_chainLog, level == kDefaultLevel ? kChainLog : 0);
    const auto size = ZSTD_compress2(zstd, space.data(), space.size(), plain.data(), plain.size());
    if (ZSTD_isError(size) != 0) return false;
    to.resize(size);
    return true;
  }
};

Compressor::Compressor(Compression compression) : context_(std::make_unique<Context>()), compression_(compression) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

bool Compressor::is_promising(ByteView plain) {
  if (compression_.off) return false;
  if (!chunk::looks_random(plain)) return true;
  // What looks random may still repeat itself. Both ends are tried, since what lies side by side in an image may be of different kinds.
  const auto shrinks = [&](ByteView part) {
    return context_->run(part, trial_, std::min(compression_.level, kQuickLevel)) && is_worth_it(trial_, part);
  };
  const auto length = std::min(plain.size(), kTrial);
  return shrinks(plain.first(length)) || (plain.size() >= 2 * kTrial && shrinks(plain.last(length)));
}

bool Compressor::compress(ByteView plain, Scratch& to) {
  return is_promising(plain) && context_->run(plain, to, compression_.level) && is_worth_it(to, plain);
}

ByteBuffer Compressor::frame(ByteView plain) {
  Scratch to;
  if (!context_->run(plain, to, kMetadataLevel)) throw Error(Code::failed, "zstd failed to compress");
  return {to.view().begin(), to.view().end()};
}

struct Decompressor::Context {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  Context() {
    if (zstd == nullptr) throw std::bad_alloc();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ZSTD_freeDCtx(zstd); }
};

Decompressor::Decompressor() : context_(std::make_unique<Context>()) {}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

bool Decompressor::decompress(ByteView frame, MutableBytes plain) {
  if (!is_allowed(frame)) return false;
  const auto size = ZSTD_decompressDCtx(context_->zstd, plain.data(), plain.size(), frame.data(), frame.size());
  return ZSTD_isError(size) == 0 && size == plain.size() &&
         ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size();
}

}  // namespace mbu::repo
