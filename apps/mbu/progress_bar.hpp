// One line on standard error that tells how far a run is. On a terminal it is redrawn in place and erased in the end; else a
// plain line comes every few seconds. Called from one thread at a time.
#pragma once

#include <chrono>
#include <string>

#include "mbu/types/events.hpp"

namespace mbu::cli {

class ProgressBar {
 public:
  enum class Style { none, plain, bar };
  explicit ProgressBar(Style style) : style_(style) {}

  // A new thing is measured.
  void restart();
  void update(const Progress& progress);
  // Takes the bar off the screen, so that something else can be written; the next update draws it again.
  void erase();

 private:
  using Clock = std::chrono::steady_clock;

  void measure(const Progress& progress, Clock::time_point now);
  // A narrow terminal shows less; each leaves out what the one before does.
  enum class Shown { all, without_elapsed, without_bytes, without_files };
  [[nodiscard]] std::string line(const Progress& progress, double elapsed, Shown shown) const;

  Style style_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_ = started_;
  Clock::time_point measured_ = started_;
  std::uint64_t measured_bytes_ = 0;
  double bytes_per_second_ = 0;
  bool visible_ = false;
};

}  // namespace mbu::cli
