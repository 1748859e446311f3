// Runs part of a test in a process of its own, where it may change what a process has.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace mbu::ops {

constexpr int kSkipped = 77;

// The check in a child process that fails has its line as its number, about.
constexpr int failed(int line) { return 1 + line % 75; }

// What `act` returns: 0 when all is well, failed(__LINE__), or kSkipped.
template <class Act>
int in_child(Act act) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(act());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

// Writes a limit of the kernel's.
inline bool set_limit(const std::string& path, std::size_t value) {
  std::ofstream file(path);
  file << value << std::flush;
  return file.good();
}

}  // namespace mbu::ops
