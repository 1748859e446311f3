// A password taken from where PasswordSources says, once: for callers that need it for more than one call, since a
// descriptor can be read and a person asked only once.
#pragma once

#include "mbu/types/password.hpp"

namespace mbu {

// Takes the password from the first source that is set. `fresh`: it is for a new repository and must not be empty.
// Code::wrong_password when there is none to be had. One thread at a time for the same sources.
[[nodiscard]] Password obtain_password(PasswordSources& sources, bool fresh);

// All of a small file, into locked memory. Code::wrong_password when it cannot be read or has more than `most` bytes.
[[nodiscard]] Password read_secret_file(const std::string& path, std::size_t most);

}  // namespace mbu
