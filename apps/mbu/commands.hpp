// The commands of this version: what each is called, takes and does. One file a family; the table is in commands.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "mbu/types/error.hpp"
#include "mbu/types/interrupt.hpp"
#include "mbu/types/password.hpp"

namespace CLI {
class App;
}

namespace mbu::cli {

class Flags;
class Output;
class View;

// What a command works with. References outlive the command.
struct Context {
  const Arguments& arguments;
  const CLI::App& definition;      // for the help and the completions
  Output& output;
  View& view;
  const Interrupt& interrupt;
  std::optional<Password> given;        // -p
  std::optional<Password> environment;  // MBU_PASSWORD
  std::string program;                  // as the user called it
  std::string& prefix;                  // the same with the flags that lead to this repository, once that is known
  std::optional<int> status;            // what the command makes of it, when it is not what the view saw
};

struct Command {
  const char* name;
  const char* operands;  // for the usage line
  std::size_t least;     // operands
  std::size_t most;
  const char* summary;
  void (*define)(Flags&, Arguments&);
  void (*run)(Context&);
};

[[nodiscard]] std::span<const Command> commands();
[[nodiscard]] const Command* find_command(std::string_view name);

// "restore SNAP[:PATH]".
[[nodiscard]] std::string usage_of(const Command& command);
// What to say of a word that is no command here: a typing error, or one of a version to come.
[[nodiscard]] Error unknown_command(const std::string& name);

// Flags that several commands have.
void define_filter(Flags& flags, SnapshotFilter& filter);
void define_kdf(Flags& flags, Arguments& arguments);
void define_overwrite(Flags& flags, RestoreOptions& options);

void define_nothing(Flags& flags, Arguments& arguments);
void define_init(Flags& flags, Arguments& arguments);
void define_backup(Flags& flags, Arguments& arguments);
void define_watch(Flags& flags, Arguments& arguments);
void define_restore(Flags& flags, Arguments& arguments);
void define_snapshots(Flags& flags, Arguments& arguments);
void define_ls(Flags& flags, Arguments& arguments);
void define_dump(Flags& flags, Arguments& arguments);
void define_diff(Flags& flags, Arguments& arguments);
void define_forget(Flags& flags, Arguments& arguments);
void define_key(Flags& flags, Arguments& arguments);
void define_check(Flags& flags, Arguments& arguments);

void run_init(Context& context);
void run_backup(Context& context);
void run_watch(Context& context);
void run_status(Context& context);
void run_restore(Context& context);
void run_snapshots(Context& context);
void run_ls(Context& context);
void run_dump(Context& context);
void run_diff(Context& context);
void run_forget(Context& context);
void run_key(Context& context);
void run_check(Context& context);
void run_cat(Context& context);
void run_version(Context& context);
void run_completion(Context& context);
void run_help(Context& context);

// The short forms -o, -d and -w.
void run_short_form(Context& context);

}  // namespace mbu::cli
