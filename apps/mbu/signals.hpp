// SIGINT, SIGTERM and SIGHUP raise an Interrupt; the same a second time ends the program at once.
#pragma once

#include "mbu/types/interrupt.hpp"

namespace mbu::cli {

// `interrupt` must live as long as the process. SIGPIPE becomes an error of the write.
void install_signal_handlers(Interrupt& interrupt) noexcept;

}  // namespace mbu::cli
