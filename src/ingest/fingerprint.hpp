// Fingerprints: what tells an entry that was packaged before from one that must be read. Everything that `statx` says about
// it and that changes when it does: above all ctime, which nobody can set back.
//
// A file that changed within the clock's grain of its last look may change again without a new ctime; such an entry gets
// no fingerprint (0) and is read again next time (the racy timestamps of version control). The grain is that of the file
// system as far as its times show it: 20 ms, or a little over two seconds where they are whole seconds.
#pragma once

#include "crypto/hash.hpp"
#include "source/source.hpp"

namespace mbu::ingest {

// Of one entry; 0: none to be had. `now`: when its directory was listed.
[[nodiscard]] std::uint64_t fingerprint(const source::Item& item, FileTime now,
                                        const std::array<std::uint8_t, 16>& key) noexcept;

// Of a directory: over the fingerprints of its entries in name order. All zero when one of them is 0.
[[nodiscard]] crypto::Digest fingerprint(const std::vector<std::uint64_t>& entries, const crypto::Key& key);

}  // namespace mbu::ingest
