// The one exception type of mbu. It says what happened, to what, and what to do next; its code decides the
// exit status. Plain value; may be thrown and read on any thread.
#pragma once

#include <stdexcept>
#include <string>

namespace mbu {

// What kind of failure it is, which decides who may catch it and how a command ends.
enum class Code {
  failed,          // anything without a better name
  usage,           // the caller asked for something that makes no sense
  source,          // one file of the packaged tree, or one entry of a restored one: the run goes on without it
  store,           // the repository's store: the run ends
  no_repository,   // nothing there, or not what one calls a repository
  wrong_password,  // no slot opens, or there is no password to be had
  forbidden,       // the credential may not do this
  corrupt,         // damage: bytes that are not what they must be
  not_found,       // the thing asked for does not exist
  interrupted,     // the user ended it
};

// The exit status of a command that ends with `code` (CLI.md, "Exit codes").
[[nodiscard]] int exit_status(Code code) noexcept;

class Error : public std::runtime_error {
 public:
  // `what`: what happened, lower case, no full stop. `subject`: the file or object it happened to.
  // `next`: what the user can do about it. `system_errno`: the errno behind it, or 0.
  Error(Code code, std::string what, std::string subject = {}, std::string next = {}, int system_errno = 0);

  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& happened() const noexcept { return happened_; }
  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  [[nodiscard]] const std::string& next() const noexcept { return next_; }
  [[nodiscard]] int system_errno() const noexcept { return system_errno_; }

  // The same error seen from further up: "context: what happened".
  [[nodiscard]] Error within(const std::string& context) const;
  // The same error of another kind, for a layer that knows whose failure it is.
  [[nodiscard]] Error as(Code code) const;

 private:
  Code code_;
  std::string happened_;
  std::string subject_;
  std::string next_;
  int system_errno_;
};

// A sync failed: what was written before may be lost though a later sync succeeds. Ends whatever runs, and is never tried again.
class SyncFailed : public Error {
 public:
  explicit SyncFailed(const Error& error) : Error(error) {}
};

}  // namespace mbu
