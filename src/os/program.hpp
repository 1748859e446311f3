// Runs other programs. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace mbu::os {

struct ProgramEnd {
  int status = 0;          // as waitpid() gives it
  std::size_t printed = 0; // bytes of its output that were taken
};

struct ProgramCall {
  std::vector<std::string> words;    // the first is looked for in PATH
  std::optional<ByteView> input = {};  // its standard input, at most 4096 bytes; nothing: ours
  MutableBytes output = {};            // takes the beginning of its standard output; what is more is dropped
  bool quiet = false;                  // its standard error goes nowhere; else it is ours
};

// Waits for its end. Nothing when there is no such program. Code::failed when it cannot be started.
[[nodiscard]] std::optional<ProgramEnd> run_program(const ProgramCall& call);

// Of a status that is not 0: "failed with status 3", "was ended by signal 9".
[[nodiscard]] std::string how_it_ended(const ProgramEnd& end);

}  // namespace mbu::os
