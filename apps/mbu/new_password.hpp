// The password that a new slot or credential takes, and how it is stretched.
#pragma once

#include <string>

#include "commands.hpp"
#include "session.hpp"

namespace mbu::cli {

// From --new-password-file, or asked for twice. `whose`: what it will open, for the question.
[[nodiscard]] Password new_password(Context& context, const std::string& whose);
// What the flags say, or the configuration.
[[nodiscard]] InitOptions new_kdf(const Context& context, const Session& session);

}  // namespace mbu::cli
