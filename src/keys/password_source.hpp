// Where passwords come from. What is read goes byte by byte into locked memory: no buffer of the library's ever holds it,
// and nothing after the first line is taken from a pipe that others read too.
#pragma once

#include "mbu/types/password.hpp"

namespace mbu::keys {

// The longest password taken from a file, a command or a descriptor, in bytes.
inline constexpr std::size_t kLongestPassword = 4096;

// Takes the password from the first source that is set: given, file, command, descriptor, prompt. Of what is read the first
// line counts, without its end (LF or CR LF). A given password is moved out, a descriptor is read and left open.
//
// `fresh`: for a new repository; an empty password is refused then. Throws Code::wrong_password: nothing is set and there is
// nobody to ask (the sources are listed), a file or descriptor cannot be read, a command fails, a line is too long or, for
// a new repository, empty. One thread at a time for the same sources; starts a child process for a command.
[[nodiscard]] Password obtain_password(PasswordSources& sources, bool fresh);

// All of the file. Code::wrong_password when it cannot be read or has more than `most` bytes.
[[nodiscard]] Password read_secret_file(const std::string& path, std::size_t most);

}  // namespace mbu::keys
