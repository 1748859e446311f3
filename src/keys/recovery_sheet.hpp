// The recovery sheet: the owner's root secret as people copy it from paper. Four lines of sixteen characters, each with a check of its own, so that
// a mistake is found in the line where it is. It opens every generation of keys.
//
// Pure functions; any thread. What holds the secret is in locked memory.
#pragma once

#include <string>

#include "crypto/secret.hpp"
#include "mbu/types/ids.hpp"
#include "mbu/types/password.hpp"

namespace mbu::keys {

// "K7QD 0M2X 9FZ4 PW1A\n…", without a line break at the end.
[[nodiscard]] Password encode_recovery_sheet(const crypto::Key& root, const RepositoryId& repository);

// The root secret in what was copied: upper or lower case, blanks, dashes and numbers of lines ("1:") are skipped, O and I are read as 0 and 1.
// Throws Code::wrong_password naming the line that is wrong.
[[nodiscard]] crypto::Key decode_recovery_sheet(const Password& text, const RepositoryId& repository);

}  // namespace mbu::keys
