// The FlatBuffer table `Toc`, alone in a pack and among others in an index. Internal to format/.
#pragma once

#include "format/flatbuffer.hpp"
#include "format/generated/toc_generated.h"
#include "format/toc.hpp"

namespace mbu::format::detail {

// For Toc and IndexedToc, as what follows.
template <class Chunk>
[[nodiscard]] flatbuffers::Offset<fb::Toc> write_toc(flatbuffers::FlatBufferBuilder& builder, const TocOf<Chunk>& toc);
// Checks all that decode_toc() promises.
template <class Chunk>
[[nodiscard]] TocOf<Chunk> read_toc(FlatReader& reader, const fb::Toc& table);
// About how many bytes the table takes.
template <class Chunk>
[[nodiscard]] std::size_t toc_weight(const TocOf<Chunk>& toc) noexcept;

}  // namespace mbu::format::detail
