// WatchBoard: what a watcher is doing, told to whoever asks on this machine (mbu/watchers.hpp) over a socket beside its state. Any thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "mbu/types/watch.hpp"
#include "os/local_service.hpp"

namespace mbu::api {

class WatchBoard {
 public:
  // `state_directory`: of this repository; empty: nobody can ask.
  WatchBoard(const std::string& state_directory, WatcherStatus status);
  void update(const std::function<void(WatcherStatus&)>& change);

 private:
  [[nodiscard]] std::string answer() const;

  mutable std::mutex mutex_;
  WatcherStatus status_;
  std::optional<os::LocalService> service_;
};

}  // namespace mbu::api
