// Streams to package: standard input, or what a command prints. One thread at a time, though not the one that made it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "mbu/types/ids.hpp"
#include "mbu/types/interrupt.hpp"

namespace mbu::cli {

// Up to to.size() bytes of standard input; 0 at its end. Code::failed, Code::interrupted.
std::size_t read_standard_input(MutableBytes to, const Interrupt& interrupt);

// A child process whose standard output is read. It gets this process's standard input and error.
class CommandStream {
 public:
  // Starts it; `command` is the program, found by PATH, and its arguments. Code::failed.
  CommandStream(std::vector<std::string> command, const Interrupt& interrupt);
  // Ends it when it has not been read to its end.
  ~CommandStream();
  CommandStream(const CommandStream&) = delete;
  CommandStream& operator=(const CommandStream&) = delete;

  // Up to to.size() bytes; 0 at the end. Throws Code::failed at the end when the command failed: what it printed is not
  // all it should have.
  std::size_t read(MutableBytes to);

 private:
  void finish();

  std::vector<std::string> command_;
  const Interrupt& interrupt_;
  pid_t child_ = -1;
  int output_ = -1;
};

}  // namespace mbu::cli
