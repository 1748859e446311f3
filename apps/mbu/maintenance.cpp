// init, check and version.
#include <fmt/format.h>

#include <charconv>

#include "commands.hpp"
#include "flags.hpp"
#include "session.hpp"
#include "units.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

// "64M", "65536k"; a number alone means MiB, or KiB from 8192 on: the bounds, 8 MiB and 1 GiB, leave no doubt.
std::uint32_t parse_kdf_memory(const std::string& given) {
  constexpr std::uint64_t kKib = 1024;
  constexpr std::uint64_t kLeast = 8 * kKib;
  constexpr std::uint64_t kMost = kKib * kKib;
  const bool bare = given.find_first_not_of("0123456789") == std::string::npos;
  std::uint64_t kib = parse_size("--kdf-memory", given) / (bare ? 1 : kKib);
  if (bare && kib <= kKib) kib *= kKib;
  if (kib < kLeast || kib > kMost) throw Error(Code::usage, "--kdf-memory wants a size from 8M to 1G, not '" + given + "'");
  return static_cast<std::uint32_t>(kib);
}

// "5%", "2.5%" or "3/10".
void parse_subset(const std::string& given, CheckOptions& options) {
  const Error error(Code::usage, "--read-data-subset wants a part like 5% or 3/10, not '" + given + "'");
  if (const auto slash = given.find('/'); slash != std::string::npos) {
    const auto number = [&](const std::string& text) {
      return static_cast<std::uint32_t>(parse_number("--read-data-subset", text, 1, 256));
    };
    options.subset_index = number(given.substr(0, slash));
    options.subset_count = number(given.substr(slash + 1));
    if (options.subset_index > options.subset_count) throw error;
  } else {
    if (!given.ends_with('%')) throw error;
    const char* const end = given.data() + given.size() - 1;
    const auto [read_to, failure] = std::from_chars(given.data(), end, options.subset_percent);
    if (failure != std::errc{} || read_to != end || !(options.subset_percent > 0) || options.subset_percent > 100) throw error;
  }
  options.read_data = true;
}

// Damage, unless all of it may still be on its way and the user knows.
int status_of(const CheckReport& report, bool arriving) {
  bool all_on_their_way = arriving;
  for (const auto& finding : report.damage) all_on_their_way = all_on_their_way && finding.never_seen;
  if (report.damage.empty()) return 0;
  return exit_status(all_on_their_way ? Code::source : Code::corrupt);
}

}  // namespace

void define_kdf(Flags& flags, Arguments& arguments) {
  InitOptions& init = arguments.init;
  flags.parsed("--kdf", "argon2id|pbkdf2", "how the password is stretched; default: as configured",
               [&arguments](const std::string& given) {
                 if (given != "argon2id" && given != "pbkdf2") {
                   throw Error(Code::usage, "--kdf wants argon2id or pbkdf2, not '" + given + "'");
                 }
                 arguments.kdf_given = true;
                 arguments.init.kdf = given == "pbkdf2" ? Kdf::pbkdf2 : Kdf::argon2id;
               });
  flags.parsed("--kdf-memory", "SIZE", "memory for Argon2id, from 8M to 1G; default: 64M",
               [&init](const std::string& given) { init.memory_kib = parse_kdf_memory(given); });
  flags.parsed("--kdf-time", "N", "passes of Argon2id (3 to 16) or rounds of PBKDF2 (600,000 or more); default: 0.15 s of them",
               [&init](const std::string& given) {
                 init.passes = static_cast<std::uint32_t>(parse_number("--kdf-time", given, 1, UINT32_MAX));
               });
}

void define_init(Flags& flags, Arguments& arguments) { define_kdf(flags, arguments); }

void run_init(Context& context) {
  Session session(context);
  InitOptions init = context.arguments.init;
  if (!context.arguments.kdf_given && session.configuration().kdf == "pbkdf2") init.kdf = Kdf::pbkdf2;
  const bool stretched_enough = init.kdf == Kdf::pbkdf2 ? init.passes >= 600'000 : init.passes >= 3 && init.passes <= 16;
  if (init.passes != 0 && !stretched_enough) {
    throw Error(Code::usage, "--kdf-time wants 3 to 16 for argon2id, 600000 or more for pbkdf2");
  }
  session.make(init);
}

void define_check(Flags& flags, Arguments& arguments) {
  CheckOptions& check = arguments.check;
  flags.flag("--read-data", check.read_data, "read, open and hash everything");
  flags.parsed("--read-data-subset", "N%|N/M", "the same for a part of the packs: N% at random, or the Nth of M parts",
               [&check](const std::string& given) { parse_subset(given, check); });
  flags.flag("--keyless", check.keyless, "compare objects with their names only: needs no password");
  flags.flag("--arriving", check.arriving, "what was never seen here may be on its way: exit 3 instead of 20");
}

void run_check(Context& context) {
  Session session(context);
  const CheckOptions& options = context.arguments.check;
  context.view.begin(Activity::check);
  CheckOutcome outcome;
  if (options.keyless) {
    if (!Repository::exists(session.location())) {
      throw Error(Code::no_repository, "there is no repository", session.location(),
                  "make one by: " + session.command_prefix() + "init");
    }
    outcome.report = Repository::check_keyless(session.options());
  } else {
    Repository repository = session.open();
    outcome.report = repository.check(options);
  }
  if (!options.arriving) outcome.arriving = session.command_prefix() + "check --arriving";
  outcome.status = status_of(outcome.report, options.arriving);
  context.view.checked(outcome);
  context.status = outcome.status;
}

void run_version(Context& context) { context.view.version(version()); }

}  // namespace mbu::cli
