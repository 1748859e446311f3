// SIGINT, SIGTERM and SIGHUP raise an Interrupt; the same a second time ends the program at once.
#pragma once

#include "mbu/types/interrupt.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

// `interrupt` must live as long as the process. SIGPIPE becomes an error of the write.
void install_signal_handlers(Interrupt& interrupt) noexcept;

// While it lives, the first signal asks the watcher to end, and only the second raises the interrupt. One at a time.
class StopBySignal {
 public:
  // `control` must outlive it.
  explicit StopBySignal(WatchControl& control) noexcept;
  StopBySignal(const StopBySignal&) = delete;
  StopBySignal& operator=(const StopBySignal&) = delete;
  ~StopBySignal();
};

}  // namespace mbu::cli
