// `cat`: one object of a repository, decoded, as JSON text of several lines. No secrets in it.
#pragma once

#include <functional>
#include <string>

#include "repo/chunk_index.hpp"

namespace mbu::api {

// `kind`: config (`id` is not looked at), index, pack, snapshot, tree, slot, statement; else Code::usage. `id`: an object's name or
// the beginning of one; for a snapshot also `latest` and `latest~N`. For a tree: a page's whole id, or a snapshot as above, with
// `:PATH` when not its root page is meant but that of a directory in it.
//
// `load_index`: of a domain; called for trees only, since it costs.
// Code::not_found; Code::usage when several objects begin with `id`; Code::corrupt. Any thread.
using LoadIndex = std::function<repo::ChunkIndex(const DomainId& domain)>;
[[nodiscard]] std::string cat_object(const repo::Vault& vault, const LoadIndex& load_index, const std::string& kind, const std::string& id);

}  // namespace mbu::api
