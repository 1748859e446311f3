// The recovery sheet: the owner's root secret as people copy it from paper. Four lines of sixteen characters, each with a check of its own, so that
// a mistake is found in the line where it is. It opens every generation of keys. Or shares of it: sheets of five lines, some of which together
// are worth the whole, and fewer of which say nothing (Shamir, How to share a secret, CACM 1979).
//
// Pure but for randomness; one thread at a time makes or joins shares. What holds the secret is in locked memory, but for buffers of libgfshare,
// which it overwrites.
#pragma once

#include <string>
#include <vector>

#include "crypto/secret.hpp"
#include "mbu/types/ids.hpp"
#include "mbu/types/password.hpp"

namespace mbu::keys {

// "K7QD 0M2X 9FZ4 PW1A\n…", without a line break at the end.
[[nodiscard]] Password encode_recovery_sheet(const crypto::Key& root, const RepositoryId& repository);

inline constexpr unsigned kMostShares = 255;
// `made` sheets of five lines, `needed` of which give the secret. Code::usage unless 2 <= needed <= made <= kMostShares.
[[nodiscard]] std::vector<Password> encode_recovery_shares(const crypto::Key& root, const RepositoryId& repository, unsigned needed, unsigned made);

// What was copied so far.
struct CopiedSheets {
  crypto::Key root;     // the secret, when nothing is missing
  std::string missing;  // "3 sheets are needed together; here are 2"
};

// What was copied (LineReader says how) of a sheet, or of shares, in one text or several, one after the other. Throws Code::wrong_password naming the line
// that is wrong.
[[nodiscard]] CopiedSheets read_recovery_sheets(const std::vector<Password>& texts, const RepositoryId& repository);

// The root secret in it. Throws Code::wrong_password for what is missing, too.
[[nodiscard]] crypto::Key decode_recovery_sheets(const std::vector<Password>& texts, const RepositoryId& repository);

}  // namespace mbu::keys
