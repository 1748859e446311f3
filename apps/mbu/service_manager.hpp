// The service manager that has started this process, if one has: told when it is ready, what it does and that it lives (sd_notify(3):
// datagrams to the socket in NOTIFY_SOCKET). Without one nothing happens. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace mbu::cli {

class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment: they are not for children.
  ServiceManager();

  void ready(const std::string& status) const { tell("READY=1\nSTATUS=" + status); }
  void status(const std::string& status) const { tell("STATUS=" + status); }
  // Followed by ready().
  void reloading() const;
  void stopping() const { tell("STOPPING=1"); }
  void alive() const { tell("WATCHDOG=1"); }
  // How often alive() is to be called; 0: nobody waits for that.
  [[nodiscard]] std::int64_t alive_interval_ms() const noexcept { return alive_ms_; }

 private:
  void tell(const std::string& message) const;

  std::string socket_;  // empty: there is none
  std::int64_t alive_ms_ = 0;
};

}  // namespace mbu::cli
