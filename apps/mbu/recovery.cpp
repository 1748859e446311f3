#include "recovery.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "flags.hpp"
#include "mbu/password_source.hpp"
#include "new_password.hpp"
#include "output.hpp"
#include "prompt.hpp"
#include "recovery_page.hpp"
#include "units.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

constexpr std::uint64_t kMostShares = 255;
constexpr std::size_t kLongestSheet = 1024 * 1024;  // bytes of a file: 255 shares with all that is printed around them

// Line after line until they suffice: four of the sheet, or five of each share. A mistake is asked for again at once.
std::vector<Password> typed_sheets(Context& context, const std::string& location) {
  if (!can_prompt()) throw Error(Code::wrong_password, "there is nobody to ask for the recovery sheet", {}, "give --sheet FILE");
  std::vector<Password> lines;
  while (true) {
    lines.push_back(prompt_password(fmt::format("recovery sheet, line {}: ", lines.size() + 1), false, context.interrupt));
    try {
      if (lines.back().empty()) lines.pop_back();
      else if (Repository::is_recovery_complete(location, lines)) return lines;
    } catch (const Error& error) {
      if (error.code() != Code::wrong_password) throw;
      context.view.warning(error.happened());
      lines.pop_back();
    }
  }
}

// As they were copied: from files, or typed.
std::vector<Password> copied_sheets(Context& context, Session& session) {
  std::vector<Password> texts;
  for (const auto& file : context.arguments.key.sheets) texts.push_back(read_secret_file(file, kLongestSheet));
  return texts.empty() ? typed_sheets(context, session.location()) : std::move(texts);
}

}  // namespace

void define_recovery(Flags& flags, KeyFlags& key) {
  flags.heading("The recovery sheet");
  flags.parsed("--shares", "K/N", "of export-recovery: N sheets, any K of which are needed together", [&key](const std::string& given) {
    const auto slash = given.find('/');
    if (slash == std::string::npos) throw Error(Code::usage, "--shares wants K/N such as 3/5, not '" + given + "'");
    key.shares_made = static_cast<unsigned>(parse_number("--shares", std::string_view(given).substr(slash + 1), 2, kMostShares));
    key.shares_needed = static_cast<unsigned>(parse_number("--shares", std::string_view(given).substr(0, slash), 2, key.shares_made));
  });
  flags.flag("--html", key.html, "of export-recovery: as a document that a browser prints; default: text");
  flags.texts("--sheet", "FILE", key.sheets, "of recover: a file that the sheet was copied or scanned into; for shares one each; default: asked for");
}

// Straight to standard output: it is for a printer or a pen, not for a program.
void export_recovery(Context& context, Session& session) {
  const KeyFlags& flags = context.arguments.key;
  if (context.arguments.global.json) throw Error(Code::usage, "a recovery sheet is for paper: export-recovery does not go with --json");
  Repository repository = session.open();
  repository.require_owner();
  std::vector<Password> sheets;
  if (flags.shares_needed == 0) sheets.push_back(repository.recovery_sheet());
  else sheets = repository.recovery_shares(flags.shares_needed, flags.shares_made);

  const std::string whose = " of repository " + repository.id().hex().substr(0, 16);
  const std::string title = "mbu recovery sheet";
  Output& output = context.output;
  if (flags.html) begin_html(output, title + whose);
  for (std::size_t i = 0; i < sheets.size(); ++i) {
    RecoveryPage page{title + whose, "Whoever has these four lines can read all that is or ever will be in it.", std::move(sheets[i]),
                      session.command_prefix() + "key recover"};
    if (flags.shares_needed != 0) {
      page.title = fmt::format("{} {} of {}{}", title, i + 1, flags.shares_made, whose);
      page.warning = fmt::format("Whoever has any {} of these {} sheets can read all that is or ever will be in it; fewer say nothing.", flags.shares_needed,
                                 flags.shares_made);
    }
    if (i > 0 && !flags.html) output.line(is_terminal(STDOUT_FILENO) ? "" : "\f");
    (flags.html ? print_html : print_text)(output, page);
  }
  if (flags.html) end_html(output);
}

void recover(Context& context, Session& session) {
  Repository repository = session.open_by_sheets([&] { return copied_sheets(context, session); });
  const auto password = new_password(context, repository.location());
  const CredentialOptions options{context.arguments.key.name, new_kdf(context, session)};
  context.view.credential({CredentialReport::Change::added, repository.add_password(password, options)});
}

}  // namespace mbu::cli
