// check: everything that can be known about a repository without restoring it.
//
// Structure: config, slots, statements, locks, every pack's signed toc, every index against the tocs, every snapshot, and every page
// and list that a snapshot reaches: all chunks they name must be in a pack that is here. With read_data also every byte: names
// against SHA-256, every block opened, every chunk against its id.
#pragma once

#include "mbu/types/options.hpp"
#include "repo/context.hpp"

namespace mbu::ops {

[[nodiscard]] CheckReport check(const repo::Context& context, const CheckOptions& options);

// Names against bytes only; needs no key.
[[nodiscard]] CheckReport check_names(store::Store& store, unsigned threads, const Interrupt& interrupt);

}  // namespace mbu::ops
