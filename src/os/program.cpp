#include "os/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/file.hpp"

namespace mbu::os {
namespace {

struct Pipe {
  explicit Pipe(const Blame& blame) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error(blame, "make a pipe", errno);
    reading = Fd(ends[0]);
    writing = Fd(ends[1]);
  }
  Fd reading, writing;
};

// What a spawned program begins with.
class Beginning {
 public:
  Beginning() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    sigset_t usual, none;
    ::sigemptyset(&none);
    ::sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) ::sigaddset(&usual, signal);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Beginning() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

// All that comes, though only the beginning is kept: a program must not die of a closed pipe.
std::size_t take_output(int fd, MutableBytes output, const Blame& blame) {
  std::size_t taken = 0;
  std::array<std::uint8_t, 256> dropped{};
  while (true) {
    const auto room = taken < output.size() ? output.subspan(taken) : MutableBytes(dropped);
    const ssize_t n = ::read(fd, room.data(), room.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(blame, "read what it says", errno);
    if (n == 0) break;
    if (taken < output.size()) taken += static_cast<std::size_t>(n);
  }
  ::explicit_bzero(dropped.data(), dropped.size());
  return taken;
}

int wait_for(pid_t child, const Blame& blame) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw system_error(blame, "learn how it ended", errno);
  }
  return status;
}

}  // namespace

std::optional<ProgramEnd> run_program(const ProgramCall& call) {
  const Blame blame{Code::failed, call.words.front()};
  Pipe output(blame);
  Beginning beginning;
  ::posix_spawn_file_actions_adddup2(&beginning.files, output.writing.get(), STDOUT_FILENO);
  if (call.quiet) ::posix_spawn_file_actions_addopen(&beginning.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::optional<Pipe> input;
  if (call.input) {
    input.emplace(blame);
    write_all(input->writing.get(), *call.input, blame);  // a pipe holds more than this
    input->writing.reset();
    ::posix_spawn_file_actions_adddup2(&beginning.files, input->reading.get(), STDIN_FILENO);
  }
  std::vector<char*> words;
  for (const auto& word : call.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, words[0], &beginning.files, &beginning.attributes, words.data(), environ);
  if (failure == ENOENT) return std::nullopt;
  if (failure != 0) throw system_error(blame, "start it", failure);
  output.writing.reset();
  try {
    ProgramEnd end;
    end.printed = take_output(output.reading.get(), call.output, blame);
    end.status = wait_for(child, blame);
    return end;
  } catch (...) {
    ::kill(child, SIGTERM);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    throw;
  }
}

std::string how_it_ended(const ProgramEnd& end) {
  if (WIFSIGNALED(end.status)) return "was ended by signal " + std::to_string(WTERMSIG(end.status));
  return "failed with status " + std::to_string(WEXITSTATUS(end.status));
}

}  // namespace mbu::os
