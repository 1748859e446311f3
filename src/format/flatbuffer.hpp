// How this folder reads and writes FlatBuffers. Internal to format/.
//
// Reading trusts nothing. The library's verifier keeps accesses in bounds, but lets two places refer to one vector, so that a few
// bytes may stand for very many once they are copied out. FlatReader therefore counts what it hands out: together never more than the
// buffer's own size, which is what a buffer without sharing comes to. The verifier doesn't align the elements of vectors of
// 64-bit numbers either: elements are loaded byte by byte.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>

#include "base/bytes.hpp"

namespace mbu::format::detail {

[[noreturn]] void corrupt(const char* what, const std::string& subject);

inline void require(bool holds, const char* what, const std::string& subject) {
  if (!holds) [[unlikely]] corrupt(what, subject);
}

// Overwrites in a way that the compiler may not leave out.
void wipe(MutableBytes bytes) noexcept;

// Memory of a FlatBufferBuilder that holds secrets.
class WipingAllocator final : public flatbuffers::Allocator {
 public:
  std::uint8_t* allocate(std::size_t size) override { return new std::uint8_t[size]; }
  void deallocate(std::uint8_t* memory, std::size_t size) override {
    wipe({memory, size});
    delete[] memory;
  }
};

// A vector of numbers; elements need no alignment.
template <class T>
class Column {
 public:
  Column() = default;
  explicit Column(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / sizeof(T); }
  [[nodiscard]] T operator[](std::size_t i) const noexcept {
    return static_cast<T>(load<std::make_unsigned_t<T>>(bytes_.subspan(i * sizeof(T), sizeof(T))));
  }

 private:
  ByteView bytes_;
};

template <class T>
using Tables = flatbuffers::Vector<flatbuffers::Offset<T>>;
using Strings = Tables<flatbuffers::String>;

// One verified FlatBuffer. Throws Code::corrupt. `bytes` must outlive it, and it what it hands out.
class FlatReader {
 public:
  FlatReader(ByteView bytes, const std::string& subject);
  ~FlatReader() { wipe({reinterpret_cast<std::uint8_t*>(copy_.data()), copy_.size() * sizeof(std::uint64_t)}); }
  FlatReader(const FlatReader&) = delete;
  FlatReader& operator=(const FlatReader&) = delete;

  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  void require(bool holds, const char* what) const { detail::require(holds, what, subject_); }

  template <class Root>
  const Root& root() {
    flatbuffers::Verifier::Options options;
    options.max_depth = 16;
    options.max_tables = most_tables();
    flatbuffers::Verifier verifier(bytes_.data(), bytes_.size(), options);
    require(verifier.VerifyBuffer<Root>(nullptr), "is not a well-formed FlatBuffer of its kind");
    return *flatbuffers::GetRoot<Root>(bytes_.data());
  }

  // What is absent is empty.
  template <class T>
  Column<T> column(const flatbuffers::Vector<T>* vector) {
    if (vector == nullptr) return {};
    const std::size_t size = std::size_t{vector->size()} * sizeof(T);
    charge(size);
    return Column<T>({vector->Data(), size});
  }
  ByteView bytes(const flatbuffers::Vector<std::uint8_t>* vector) {
    if (vector == nullptr) return {};
    charge(vector->size());
    return {vector->Data(), vector->size()};
  }
  std::string text(const flatbuffers::String* string) {
    if (string == nullptr) return {};
    charge(string->size());
    return string->str();
  }
  std::vector<std::string> texts(const Strings* strings);

  // Calls `visit` with each table.
  template <class T, class Visit>
  void for_each(const Tables<T>* tables, Visit visit) {
    const auto count = size(tables);
    for (flatbuffers::uoffset_t i = 0; i < count; ++i) visit(*tables->Get(i));
  }
  template <class T>
  flatbuffers::uoffset_t size(const Tables<T>* tables) {
    if (tables == nullptr) return 0;
    charge(std::size_t{tables->size()} * sizeof(flatbuffers::uoffset_t));
    return tables->size();
  }

  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(const flatbuffers::Vector<std::uint8_t>* vector, const char* what) {
    const auto view = bytes(vector);
    require(view.size() == N, what);
    std::array<std::uint8_t, N> copy;
    std::copy(view.begin(), view.end(), copy.begin());
    return copy;
  }
  template <class Id>
  Id identifier(const flatbuffers::Vector<std::uint8_t>* vector, const char* what) {
    return Id{fixed<Id::kSize>(vector, what)};
  }
  template <class Id>
  std::optional<Id> identifier_if_any(const flatbuffers::Vector<std::uint8_t>* vector, const char* what) {
    if (vector == nullptr || vector->size() == 0) return std::nullopt;
    return identifier<Id>(vector, what);
  }
  template <class Id>
  std::vector<Id> identifiers(const flatbuffers::Vector<std::uint8_t>* vector, const char* what) {
    const auto view = bytes(vector);
    require(view.size() % Id::kSize == 0, what);
    std::vector<Id> ids;
    ids.reserve(view.size() / Id::kSize);
    for (std::size_t at = 0; at < view.size(); at += Id::kSize) ids.push_back(Id::from(view.subspan(at, Id::kSize)));
    return ids;
  }

 private:
  void charge(std::size_t size) {
    require(size <= budget_, "refers to the same bytes from several places");
    budget_ -= size;
  }
  [[nodiscard]] flatbuffers::uoffset_t most_tables() const noexcept;

  const std::string& subject_;
  std::vector<std::uint64_t> copy_;  // when the input is not aligned
  ByteView bytes_;
  std::size_t budget_;
};

using BytesOffset = flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>;

// Vectors that are empty are left out.
template <class T>
flatbuffers::Offset<flatbuffers::Vector<T>> write_vector(flatbuffers::FlatBufferBuilder& builder,
                                                         const std::vector<T>& elements) {
  if (elements.empty()) return 0;
  return builder.CreateVector(elements);
}
inline BytesOffset write_bytes(flatbuffers::FlatBufferBuilder& builder, ByteView bytes) {
  if (bytes.empty()) return 0;
  return builder.CreateVector(bytes.data(), bytes.size());
}
template <class Offsets>
flatbuffers::Offset<Tables<Offsets>> write_tables(flatbuffers::FlatBufferBuilder& builder,
                                                  const std::vector<flatbuffers::Offset<Offsets>>& tables) {
  if (tables.empty()) return 0;
  return builder.CreateVector(tables);
}
inline flatbuffers::Offset<flatbuffers::String> write_text(flatbuffers::FlatBufferBuilder& builder,
                                                           const std::string& text) {
  if (text.empty()) return 0;
  return builder.CreateString(text);
}
flatbuffers::Offset<Strings> write_texts(flatbuffers::FlatBufferBuilder& builder,
                                         const std::vector<std::string>& texts);

// The ids that `id_of` finds in the elements, one behind the other.
template <class Range, class IdOf>
BytesOffset write_ids(flatbuffers::FlatBufferBuilder& builder, const Range& range, IdOf id_of) {
  if (std::empty(range)) return 0;
  constexpr std::size_t kSize = std::remove_cvref_t<decltype(id_of(*std::begin(range)))>::kSize;
  std::uint8_t* to = nullptr;
  const BytesOffset offset = builder.CreateUninitializedVector<std::uint8_t>(std::size(range) * kSize, &to);
  for (const auto& element : range) {
    const auto& id = id_of(element);
    to = std::copy(id.bytes.begin(), id.bytes.end(), to);
  }
  return offset;
}
template <class Id>
BytesOffset write_ids(flatbuffers::FlatBufferBuilder& builder, const std::vector<Id>& ids) {
  return write_ids(builder, ids, [](const Id& id) -> const Id& { return id; });
}
template <class Id>
BytesOffset write_id_if_any(flatbuffers::FlatBufferBuilder& builder, const std::optional<Id>& id) {
  if (!id) return 0;
  return write_bytes(builder, id->view());
}

// The finished buffer's bytes.
[[nodiscard]] ByteBuffer take(const flatbuffers::FlatBufferBuilder& builder);

}  // namespace mbu::format::detail
