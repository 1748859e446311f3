#include "os/local_service.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace mbu::os {
namespace {

constexpr std::size_t kLongestAnswer = 1U << 20;
constexpr int kPatienceSeconds = 5;
constexpr int kNapMilliseconds = 100;

Fd local_socket() { return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// Of name in an open directory: socket addresses are short, and directories may not be.
sockaddr_un address_in(const Fd& directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = "/proc/self/fd/" + std::to_string(directory.get()) + '/' + name;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

LocalService::LocalService(const std::string& directory, const std::string& name, std::function<std::string()> answer)
    : path_(directory + '/' + name) {
  const Blame blame{Code::failed, path_};
  make_directories(directory, 0700, blame);
  const Fd place = open_at(AT_FDCWD, directory.c_str(), O_PATH | O_DIRECTORY, 0, blame);
  listener_ = local_socket();
  if (!listener_) throw system_error(blame, "make a socket", errno);
  ::unlink(path_.c_str());
  const auto address = address_in(place, name);
  if (::bind(listener_.get(), generic(address), sizeof address) != 0 || ::chmod(path_.c_str(), 0600) != 0 ||
      ::listen(listener_.get(), 8) != 0) {
    throw system_error(blame, "listen", errno);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error(blame, "make a pipe", errno);
  stop_read_ = Fd(ends[0]);
  stop_write_ = Fd(ends[1]);
  thread_ = std::jthread([this, answer = std::move(answer)] { serve(answer); });
}

LocalService::~LocalService() {
  ::unlink(path_.c_str());
  stop_write_.reset();
  thread_.join();
}

void LocalService::serve(const std::function<std::string()>& answer) const {
  for (;;) {
    std::array<pollfd, 2> wanted{{{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[1].revents != 0) return;
    if (wanted[0].revents == 0) continue;
    const Fd caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!caller) {  // out of descriptors: the caller stays in the queue
      ::poll(&wanted[1], 1, kNapMilliseconds);
      continue;
    }
    const auto text = answer();
    // A caller that does not read is not waited for: what is said fits the socket's buffer.
    static_cast<void>(::send(caller.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
}

std::optional<std::string> ask_local_service(const std::string& directory, const std::string& name) {
  const Fd place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd socket = local_socket();
  if (!place || !socket) return std::nullopt;
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // for connect
  const auto address = address_in(place, name);
  if (::connect(socket.get(), generic(address), sizeof address) != 0) return std::nullopt;
  std::string answer;
  std::array<char, 4096> piece;
  for (;;) {
    const auto got = ::recv(socket.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || answer.size() > kLongestAnswer) return std::nullopt;
    if (got == 0) return answer;
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace mbu::os
