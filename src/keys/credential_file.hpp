// Credential files: what a writer's machine is given, as text. A slot (FORMAT.md §5) and, unless a password of its own protects it, the key that
// opens it.
//
// Any thread.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "mbu/types/password.hpp"

namespace mbu::keys {

struct CredentialFile {
  ByteBuffer slot;
  std::optional<Password> key;  // what opens the slot; nothing: a password, to be asked for
};

// A new file for the user alone, durable when this returns. `comment`: one line for people. Code::failed when there is such a file already or it
// cannot be written: it is gone then.
void write_credential_file(const std::string& path, const CredentialFile& file, const std::string& comment);
// Code::wrong_password naming `subject` when it is none.
[[nodiscard]] CredentialFile decode_credential_file(ByteView bytes, const std::string& subject);

// The file, read. Code::wrong_password when it cannot be, or is none.
[[nodiscard]] CredentialFile read_credential_file(const std::string& path);

// A new key for a file without a password.
[[nodiscard]] Password random_file_key();

}  // namespace mbu::keys
