// mbu: what happens, in order. The commands are in commands.cpp.
#include <memory>
#include <string_view>

#include "commands.hpp"
#include "harden.hpp"
#include "json_view.hpp"
#include "output.hpp"
#include "parse.hpp"
#include "secrets.hpp"
#include "signals.hpp"
#include "text_view.hpp"

namespace mbu::cli {
namespace {

std::unique_ptr<View> make_view(Output& output, const GlobalFlags& flags) {
  if (flags.json) return std::make_unique<JsonView>(output, flags);
  return std::make_unique<TextView>(output, flags);
}

void run_command(Context& context) {
  try {
    if (context.arguments.short_forms.count() > 0) return run_short_form(context);
    find_command(context.arguments.command)->run(context);
  } catch (const Error&) {
    context.output.flush();  // what was found before is worth having
    throw;
  }
}

// The error with what to do next as this user would type it here. The library says `mbu …`: it knows no flags.
Error with_next_step(const Error& error, const Arguments& arguments, const std::string& prefix) {
  std::string next = error.next();
  constexpr std::string_view kCommand = ": mbu ";
  const auto at = next.find(kCommand);
  const bool complete = next.find(": " + prefix) != std::string::npos;
  if (at != std::string::npos && !complete && !next.starts_with("usage")) next.replace(at + 2, kCommand.size() - 2, prefix);
  const bool goes_on = arguments.command == "backup" || arguments.command == "restore" || arguments.short_forms.count() > 0;
  if (error.code() == Code::interrupted && next.empty() && goes_on) next = "run it again: what was finished is used";
  return {error.code(), error.happened(), error.subject(), next, error.system_errno()};
}

// Whether JSON is asked for, before anything is known about the words: what is wrong with them is told in JSON, too.
GlobalFlags flags_before_parsing(int count, char** arguments) {
  GlobalFlags flags;
  for (int i = 1; i < count && std::string_view(arguments[i]) != "--"; ++i) flags.json = flags.json || std::string_view(arguments[i]) == "--json";
  return flags;
}

// Tells the error; the exit status.
int fail(View& view, const Error& error) {
  const int status = exit_status(error.code());
  view.failed(error, status);
  return status;
}

int run(int count, char** arguments) {
  static Interrupt interrupt;  // outlives every handler
  Output output;
  CommandLine line;
  std::string prefix = "mbu ";
  std::unique_ptr<View> view = make_view(output, flags_before_parsing(count, arguments));
  try {
    auto secrets = take_secrets(count, arguments, line.flags_with_value());
    const std::string program = count > 0 ? arguments[0] : "mbu";
    line.parse(std::move(secrets.arguments));
    view = make_view(output, line.arguments().global);
    install_signal_handlers(interrupt);
    Context context{line.arguments(),        line.definition(),        output, *view, interrupt,
                    std::move(secrets.given), std::move(secrets.environment), program, prefix, {}};
    run_command(context);
    output.flush();
    const int status = context.status.value_or(view->status());
    if (status != 0) view->incomplete(status);
    return status;
  } catch (const Error& error) {
    return fail(*view, with_next_step(error, line.arguments(), prefix));
  } catch (const std::bad_alloc&) {
    return fail(*view, Error(Code::failed, "out of memory", {}, "fewer --threads need less"));
  } catch (const std::exception& error) {
    return fail(*view, Error(Code::failed, error.what()));
  }
}

}  // namespace
}  // namespace mbu::cli

int main(int count, char** arguments) {
  mbu::cli::harden_process();
  return mbu::cli::run(count, arguments);
}
