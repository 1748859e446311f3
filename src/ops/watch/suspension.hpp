// Suspension: whether the machine has slept. What others change meanwhile (a network file system, a disk that is carried elsewhere) no feed
// tells. One thread.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "os/file.hpp"

namespace mbu::ops {

class Suspension {
 public:
  // `clock` must outlive it.
  explicit Suspension(const Clock& clock);

  // Readable after a sleep, perhaps for another reason, until has_passed() is asked; -1: it never tells so.
  [[nodiscard]] int descriptor() const noexcept { return resumed_.get(); }
  // Whether the machine has slept since this was asked last, a second or more in all.
  [[nodiscard]] bool has_passed();

 private:
  [[nodiscard]] std::int64_t slept_ns() const;

  const Clock& clock_;
  os::Fd resumed_;
  std::int64_t slept_ns_;  // since the machine was started, as it was seen to
};

}  // namespace mbu::ops
