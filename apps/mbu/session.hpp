// From flags, environment and configuration to an open repository. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mbu/configuration.hpp"
#include "mbu/repository.hpp"
#include "places.hpp"

namespace mbu::cli {

// What is kept of what opened a repository, as RepositoryOptions has it.
struct Keep {
  std::uint32_t unlock_seconds = 0;
  bool on_desktop = false;
};

class Session {
 public:
  enum class Ask { if_nothing_gives_it, in_any_case };
  // Reads the configuration. Throws what load_configuration() throws. `ask`: a person for the password.
  explicit Session(Context& context, Ask ask = Ask::if_nothing_gives_it);

  [[nodiscard]] const Configuration& configuration() const noexcept { return configuration_; }
  // Where the repository is, absolute. Code::usage when nothing says where.
  [[nodiscard]] const std::string& location();
  [[nodiscard]] const std::string& restore_directory() const;
  // Where the state of this machine lies; empty: nowhere.
  [[nodiscard]] std::string state_directory() const;

  // The repository, which must be there. Code::no_repository tells how to make one.
  [[nodiscard]] Repository open();
  // The security key that the flags mean.
  [[nodiscard]] SecurityKey security_key();
  // Opens it so that nobody is asked for a while.
  void unlock(const Keep& keep);
  // The same, opened by what was copied of a recovery sheet or shares of it.
  [[nodiscard]] Repository open_by_sheets(const std::function<std::vector<Password>()>& copied);
  // The same, but the configured repository is made when there is none and none is remembered.
  [[nodiscard]] Repository open_or_make();
  // `init`: makes one and shows it.
  void make(const InitOptions& init);
  // For what needs no password.
  [[nodiscard]] RepositoryOptions options();

  // The directories that are never packaged, with their names.
  [[nodiscard]] std::vector<OwnPlace> own_places();
  // `mbu -r …`, as the user would have to type it again from any directory, with a space after it.
  [[nodiscard]] std::string command_prefix() const;

 private:
  [[nodiscard]] PasswordSources sources();
  [[nodiscard]] Password obtain_fresh();
  [[nodiscard]] RepositoryOptions options_with(Password password);
  [[nodiscard]] Repository open_with_prompt(const Keep& keep = {});
  [[nodiscard]] bool only_prompt();
  [[noreturn]] void refuse_missing();
  void refuse_what_is_not_here() const;

  Context& context_;
  const GlobalFlags& flags_;
  Ask ask_;
  Configuration configuration_;
  std::string location_;
  std::string credential_;  // file, absolute; empty: none
};

}  // namespace mbu::cli
