// SIGINT, SIGTERM and SIGHUP raise an Interrupt; the same a second time ends the program at once. A watcher is asked to end, and by SIGHUP
// to read its configuration again.
#pragma once

#include "mbu/types/interrupt.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

// `interrupt` must live as long as the process. SIGPIPE becomes an error of the write.
void install_signal_handlers(Interrupt& interrupt) noexcept;

// While it lives, the first signal asks the watcher to end, and only the second raises the interrupt. SIGHUP may ask it to reload instead.
// One at a time.
class StopBySignal {
 public:
  enum class HangUp { ends, reloads };
  // `control` must outlive it.
  StopBySignal(WatchControl& control, HangUp hang_up) noexcept;
  StopBySignal(const StopBySignal&) = delete;
  StopBySignal& operator=(const StopBySignal&) = delete;
  ~StopBySignal();
};

}  // namespace mbu::cli
