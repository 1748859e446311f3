// What every operation works with. References are not owned; nothing in it changes while an operation runs.
#pragma once

#include "base/parallel.hpp"
#include "base/serial_events.hpp"
#include "cache/cache.hpp"
#include "cache/state.hpp"
#include "mbu/types/interrupt.hpp"
#include "repo/vault.hpp"

namespace mbu::repo {

struct Context {
  const Vault& vault;
  cache::Cache& cache;
  cache::State& state;
  SerialEvents& events;
  const Interrupt& interrupt;
  unsigned threads = 1;
  Compression compression;
  bool verify_blocks = true;

  // For damage that an operation meets on its way and that does not stop it. What only does not count is not told.
  [[nodiscard]] auto tell_damage() const {
    return [this](const CheckReport::Finding& finding) {
      if (finding.is_note) return;
      events.problem({Problem::Kind::damaged, finding.object, finding.message});
    };
  }
};

}  // namespace mbu::repo
