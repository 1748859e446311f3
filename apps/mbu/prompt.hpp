// Asks a person at the terminal for a password, without echo. Standard input is never read unless it is that terminal.
#pragma once

#include <string>

#include "mbu/types/interrupt.hpp"
#include "mbu/types/password.hpp"

namespace mbu::cli {

// Whether there is somebody to ask: standard input or standard error is a terminal that can be opened.
[[nodiscard]] bool can_prompt() noexcept;

// `question` is shown as it is. `fresh`: the password is asked for twice and must be the same. Throws Code::wrong_password:
// no terminal, its end instead of a password, two that differ; Code::interrupted.
[[nodiscard]] Password prompt_password(const std::string& question, bool fresh, const Interrupt& interrupt);

}  // namespace mbu::cli
