#include "format/flatbuffer.hpp"

namespace mbu::format::detail {
namespace {

// A table takes at least its own offset to a vtable and one that refers to it.
constexpr std::size_t kSmallestTable = 8;
constexpr std::size_t kMostTables = std::size_t{1} << 24;
constexpr std::size_t kAlignment = 8;
// Bodies are no longer; the library gives up at twice that with an assertion.
constexpr std::size_t kLargestBuffer = std::size_t{1} << 30;

}  // namespace

void corrupt(const char* what, const std::string& subject) { throw Error(Code::corrupt, what, subject); }

void wipe(MutableBytes bytes) noexcept {
  volatile std::uint8_t* to = bytes.data();
  for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = 0;
}

FlatReader::FlatReader(ByteView bytes, const std::string& subject)
    : subject_(subject), bytes_(bytes), budget_(bytes.size()) {
  require(bytes.size() <= kLargestBuffer, "is too large");
  if (!bytes.empty() && reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment != 0) {
    copy_.resize((bytes.size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    std::memcpy(copy_.data(), bytes.data(), bytes.size());
    bytes_ = {reinterpret_cast<const std::uint8_t*>(copy_.data()), bytes.size()};
  }
}

flatbuffers::uoffset_t FlatReader::most_tables() const noexcept {
  return static_cast<flatbuffers::uoffset_t>(std::min(kMostTables, bytes_.size() / kSmallestTable));
}

std::vector<std::string> FlatReader::texts(const Strings* strings) {
  const auto count = size(strings);
  std::vector<std::string> all;
  all.reserve(count);
  for (flatbuffers::uoffset_t i = 0; i < count; ++i) all.push_back(text(strings->Get(i)));
  return all;
}

flatbuffers::Offset<Strings> write_texts(flatbuffers::FlatBufferBuilder& builder,
                                         const std::vector<std::string>& texts) {
  if (texts.empty()) return 0;
  std::vector<flatbuffers::Offset<flatbuffers::String>> offsets;
  offsets.reserve(texts.size());
  for (const auto& text : texts) offsets.push_back(builder.CreateString(text));
  return builder.CreateVector(offsets);
}

ByteBuffer take(const flatbuffers::FlatBufferBuilder& builder) {
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace mbu::format::detail
