// `key`: passwords and writers' credentials.
#include <fmt/format.h>

#include <map>

#include "commands.hpp"
#include "escape.hpp"
#include "flags.hpp"
#include "new_password.hpp"
#include "recovery.hpp"
#include "session.hpp"
#include "units.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

constexpr std::int64_t kShortestUnlock = 60;
constexpr std::int64_t kLongestUnlock = 30LL * 24 * 3600;

void list(Context& context, Session& session) {
  Repository repository = session.open();
  context.view.credentials(repository.credentials());
}

void add(Context& context, Session& session) {
  Repository repository = session.open();
  repository.require_owner();  // before anybody is asked for a password in vain
  const KeyFlags& flags = context.arguments.key;
  if (flags.on_security_key) {
    context.view.credential({CredentialReport::Change::added, repository.add_security_key(session.security_key(), flags.name)});
    return;
  }
  const auto password = new_password(context, repository.location());
  const CredentialOptions options{flags.name, new_kdf(context, session)};
  context.view.credential({CredentialReport::Change::added, repository.add_password(password, options)});
}

void change(Context& context, Session& session) {
  Repository repository = session.open();
  repository.require_owner();  // before anybody is asked for a password in vain
  repository.require_password();
  const auto password = new_password(context, repository.location());
  const CredentialOptions options{context.arguments.key.name, new_kdf(context, session)};
  context.view.credential({CredentialReport::Change::changed, repository.change_password(password, options)});
}

void remove(Context& context, Session& session) {
  if (context.arguments.operands.size() < 2) {
    throw Error(Code::usage, "key remove wants the name or id of what to remove", {}, "list what there is: mbu key list");
  }
  Repository repository = session.open();
  context.view.credential({CredentialReport::Change::removed, repository.remove_credential(context.arguments.operands[1])});
}

void add_writer(Context& context, Session& session) {
  const KeyFlags& flags = context.arguments.key;
  if (flags.name.empty()) throw Error(Code::usage, "key new-writer wants --name NAME: what the writer is called");
  if (flags.file.empty()) throw Error(Code::usage, "key new-writer wants -o FILE: where its credential goes");
  Repository repository = session.open();
  repository.require_owner();
  NewWriterOptions options;
  options.name = flags.name;
  options.domain = flags.domain;
  options.file = absolute_path(flags.file);
  if (flags.ask_password || !flags.new_password_file.empty()) options.password = new_password(context, options.file);
  options.kdf = new_kdf(context, session);
  CredentialReport report{CredentialReport::Change::admitted, repository.add_writer(options)};
  report.file = options.file;
  report.use = fmt::format("mbu -r {} --credential {} backup PATH", shell_word(session.location()), shell_word(options.file));
  context.view.credential(report);
}

void rotate(Context& context, Session& session) {
  Repository repository = session.open();
  context.view.rotated(repository.rotate_keys());
}

// Without an operand: what there is to accept.
void accept(Context& context, Session& session) {
  Repository repository = session.open();
  const auto& operands = context.arguments.operands;
  context.view.snapshots(operands.size() < 2 ? repository.unaccepted() : repository.accept(operands[1]));
}

void unlock(Context& context, Session& session) {
  const KeyFlags& flags = context.arguments.key;
  if (flags.desktop && !context.arguments.global.credential.empty()) {
    throw Error(Code::usage, "the desktop keeps the owner's password, not a credential", {}, "without --desktop, key unlock keeps what it opens");
  }
  const std::int64_t seconds = flags.desktop ? 0 : flags.unlock_seconds;
  session.unlock({static_cast<std::uint32_t>(seconds), flags.desktop});
  context.view.session_unlocked(seconds, session.command_prefix() + "key lock");
}

void lock(Context& context, Session& session) { context.view.session_locked(Repository::lock(session.location())); }

const std::map<std::string, void (*)(Context&, Session&)> kActions{
    {"list", list}, {"add", add}, {"passwd", change}, {"remove", remove},
    {"new-writer", add_writer}, {"rotate", rotate}, {"accept", accept}, {"unlock", unlock},   {"lock", lock},
    {"export-recovery", export_recovery}, {"recover", recover}};

}  // namespace

void define_key(Flags& flags, Arguments& arguments) {
  KeyFlags& key = arguments.key;
  flags.text("--name", "NAME", key.name, "what the password (default: user@host) or the writer is called");
  flags.text("--new-password-file", "FILE", key.new_password_file, "the new password is its first line; default: asked for twice");
  flags.parsed("--for", "TIME", "of unlock: how long, from 1min to 30d; default: 8h", [&key](const std::string& given) {
    // "30m" is half an hour here: nobody unlocks for months.
    const auto milliseconds = parse_duration_ms(given);
    const auto seconds = milliseconds ? std::optional(*milliseconds / 1000) : parse_span_s(given);
    if (!seconds || *seconds < kShortestUnlock || *seconds > kLongestUnlock) {
      throw Error(Code::usage, "--for wants a length of time from 1min to 30d such as 8h, not '" + given + "'");
    }
    key.unlock_seconds = *seconds;
  });
  flags.flag("--on-security-key", key.on_security_key, "of add: no password, but a FIDO2 security key");
  flags.flag("--desktop", key.desktop, "of unlock: the password goes into the desktop's secret service, until key lock");
  define_recovery(flags, key);
  flags.heading("A new writer");
  flags.text("-o,--output", "FILE", key.file, "where its credential goes");
  flags.text("--domain", "NAME", key.domain, "it deduplicates with the writers of this domain, main is the owner's; default: with nobody");
  flags.flag("--ask-password", key.ask_password, "protect the credential by a password of its own");
  flags.heading("How the new password is stretched");
  define_kdf(flags, arguments);
}

void run_key(Context& context) {
  const auto& what = context.arguments.operands.front();
  const auto action = kActions.find(what);
  if (action == kActions.end()) {
    throw Error(Code::usage, "key does not know '" + what + "'", {},
                "it knows list, add, passwd, remove, rotate, new-writer, accept, unlock, lock, export-recovery and recover");
  }
  const std::size_t most = what == "remove" || what == "accept" ? 2 : 1;
  if (context.arguments.operands.size() > most) {
    throw Error(Code::usage, "key " + what + " does not take '" + context.arguments.operands[most] + "'");
  }
  const KeyFlags& flags = context.arguments.key;
  if (what != "new-writer" && (!flags.file.empty() || !flags.domain.empty() || flags.ask_password)) {
    throw Error(Code::usage, "-o, --domain and --ask-password go with key new-writer");
  }
  if (!flags.name.empty() && what != "new-writer" && what != "add" && what != "recover") {
    throw Error(Code::usage, "--name goes with key add, key recover and key new-writer");
  }
  if (what != "export-recovery" && (flags.html || flags.shares_needed != 0)) throw Error(Code::usage, "--shares and --html go with key export-recovery");
  if (what != "add" && flags.on_security_key) throw Error(Code::usage, "--on-security-key goes with key add");
  if (what != "unlock" && flags.desktop) throw Error(Code::usage, "--desktop goes with key unlock");
  Session session(context);
  action->second(context, session);
}

}  // namespace mbu::cli
