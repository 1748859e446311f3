// What the programs here share: a clock, and the anonymous memory of this process (RssAnon), sampled every 10 ms.
#pragma once

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace mbu::bench {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// MiB.
inline double anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

// The most that was ever seen, until stopped.
class PeakMemory {
 public:
  [[nodiscard]] double stop() {
    thread_.request_stop();
    thread_.join();
    return peak_;
  }

 private:
  std::atomic<double> peak_{0};
  std::jthread thread_{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      peak_ = std::max(peak_.load(), anonymous_memory());
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }};
};

}  // namespace mbu::bench
