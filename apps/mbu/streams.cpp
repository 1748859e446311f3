#include "streams.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "mbu/types/error.hpp"

extern char** environ;

namespace mbu::cli {
namespace {

Error system_failure(const std::string& what, const std::string& subject, int number) {
  return Error(Code::failed, what + ": " + std::generic_category().message(number), subject, {}, number);
}

std::size_t read_some(int fd, MutableBytes to, const std::string& subject, const Interrupt& interrupt) {
  while (true) {
    interrupt.check();
    const ssize_t n = ::read(fd, to.data(), to.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw system_failure("cannot read", subject, errno);
  }
}

// Starts `words` with `output` as its standard output and the signals that this program changed as they were. The
// password is in no variable any more: take_secrets() has unset it.
pid_t spawn(const std::vector<std::string>& words, int output) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  sigset_t changed;
  ::sigemptyset(&changed);
  ::sigaddset(&changed, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &changed);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int number = ::posix_spawnp(&child, pointers[0], &files, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (number != 0) throw system_failure("cannot be started", words[0], number);
  return child;
}

}  // namespace

std::size_t read_standard_input(MutableBytes to, const Interrupt& interrupt) {
  return read_some(STDIN_FILENO, to, "standard input", interrupt);
}

CommandStream::CommandStream(std::vector<std::string> command, const Interrupt& interrupt)
    : command_(std::move(command)), interrupt_(interrupt) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_failure("no pipe is to be had", command_[0], errno);
  output_ = ends[0];
  try {
    child_ = spawn(command_, ends[1]);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
}

CommandStream::~CommandStream() {
  if (output_ >= 0) ::close(output_);
  if (child_ < 0) return;
  ::kill(child_, SIGTERM);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::size_t CommandStream::read(MutableBytes to) {
  if (child_ < 0) return 0;
  const std::size_t n = read_some(output_, to, command_[0], interrupt_);
  if (n == 0) finish();
  return n;
}

void CommandStream::finish() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0) {
    if (errno != EINTR) break;
    interrupt_.check();
  }
  child_ = -1;
  if (WIFSIGNALED(status)) {
    throw Error(Code::failed, "was ended by signal " + std::to_string(WTERMSIG(status)), command_[0]);
  }
  if (WEXITSTATUS(status) != 0) {
    throw Error(Code::failed, "failed with status " + std::to_string(WEXITSTATUS(status)), command_[0]);
  }
}

}  // namespace mbu::cli
