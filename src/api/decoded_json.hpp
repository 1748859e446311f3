// Decoded objects as JSON: for `cat`. Ids in hex, moments as RFC 3339 with nanoseconds in UTC. Strings are what some machine gave:
// one that is not UTF-8 stands lossily under its key and exactly, in base64, under key_b64. Nothing here is secret.
// Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "format/config.hpp"
#include "format/index.hpp"
#include "format/page.hpp"
#include "format/slot.hpp"
#include "repo/snapshots.hpp"

namespace mbu::api {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json decoded(const format::Config& config);
[[nodiscard]] Json decoded(const format::DescribedPack& pack);
[[nodiscard]] Json decoded(const format::Index& index);
[[nodiscard]] Json decoded(const repo::StoredSnapshot& stored);
[[nodiscard]] Json decoded(const format::Page& page);
[[nodiscard]] Json decoded(const format::Statement& statement);
// Without the salt and what is wrapped, which serve nobody but a reader of the slot itself.
[[nodiscard]] Json decoded(const format::Slot& slot, const format::SlotLabel& label);

// "2026-11-25T00:10:22.000000000Z"; a moment beyond the years 0 to 9999 as "@seconds.nanoseconds".
[[nodiscard]] std::string rfc3339(const FileTime& time);

}  // namespace mbu::api
