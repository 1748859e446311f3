#include "mbu/types/error.hpp"

#include <utility>

namespace mbu {
namespace {

std::string sentence(const std::string& what, const std::string& subject) {
  return subject.empty() ? what : subject + ": " + what;
}

}  // namespace

int exit_status(Code code) noexcept {
  switch (code) {
    case Code::failed:
    case Code::store:
    case Code::not_found: return 1;
    case Code::usage: return 2;
    case Code::source: return 3;
    case Code::no_repository: return 10;
    case Code::wrong_password: return 12;
    case Code::forbidden: return 13;
    case Code::corrupt: return 20;
    case Code::interrupted: return 130;
  }
  return 1;
}

Error::Error(Code code, std::string what, std::string subject, std::string next, int system_errno)
    : std::runtime_error(sentence(what, subject)),
      code_(code),
      happened_(std::move(what)),
      subject_(std::move(subject)),
      next_(std::move(next)),
      system_errno_(system_errno) {}

Error Error::within(const std::string& context) const {
  return Error(code_, context + ": " + happened_, subject_, next_, system_errno_);
}

Error Error::as(Code code) const { return Error(code, happened_, subject_, next_, system_errno_); }

}  // namespace mbu
