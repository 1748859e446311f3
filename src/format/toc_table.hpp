// The FlatBuffer table `Toc`, alone in a pack and among others in an index. Internal to format/.
#pragma once

#include "format/flatbuffer.hpp"
#include "format/generated/toc_generated.h"
#include "format/toc.hpp"

namespace mbu::format::detail {

[[nodiscard]] flatbuffers::Offset<fb::Toc> write_toc(flatbuffers::FlatBufferBuilder& builder, const Toc& toc);
// Checks all that decode_toc() promises.
[[nodiscard]] Toc read_toc(FlatReader& reader, const fb::Toc& table);
// About how many bytes the table takes.
[[nodiscard]] std::size_t toc_weight(const Toc& toc) noexcept;

}  // namespace mbu::format::detail
