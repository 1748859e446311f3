// `forget`.
#include <algorithm>
#include <limits>

#include "commands.hpp"
#include "flags.hpp"
#include "session.hpp"
#include "units.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

using Every = Retention::Every;

// "7d", "1y6M", and restic's "1y5m7d2h", where m are months.
std::int64_t parse_within(const std::string& flag, std::string given) {
  std::string text = given;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool alone = i + 1 == text.size() || text.compare(i, 3, "min") != 0;
    if (text[i] == 'm' && alone) text[i] = 'M';
  }
  if (const auto seconds = parse_span_s(text)) return *seconds;
  throw Error(Code::usage, flag + " wants a length of time such as 12h, 7d or 1y6M, not '" + given + "'");
}

std::uint64_t parse_count(const std::string& flag, const std::string& given) {
  constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
  return given == "-1" || given == "unlimited" ? kAll : parse_number(flag, given, 0, 1'000'000'000);
}

void parse_groups(const std::string& given, ForgetOptions& options) {
  options.by_host = options.by_paths = options.by_tags = false;
  for (std::size_t start = 0; start <= given.size() && !given.empty();) {
    const auto end = std::min(given.find(',', start), given.size());
    const auto word = given.substr(start, end - start);
    if (word == "host" || word == "hosts") {
      options.by_host = true;
    } else if (word == "path" || word == "paths") {
      options.by_paths = true;
    } else if (word == "tag" || word == "tags") {
      options.by_tags = true;
    } else {
      throw Error(Code::usage, "--group-by wants host, paths and tags with commas between, not '" + given + "'");
    }
    start = end + 1;
  }
}

}  // namespace

void define_forget(Flags& flags, Arguments& arguments) {
  ForgetOptions& options = arguments.forget;
  Retention& keep = options.retention;
  flags.heading("What stays");
  struct Period {
    const char* adverb;
    const char* noun;
    Every every;
  };
  constexpr Period kPeriods[] = {{"last", "", Every::all},           {"hourly", "hour", Every::hourly},     {"daily", "day", Every::daily},
                                 {"weekly", "week", Every::weekly},  {"monthly", "month", Every::monthly},  {"yearly", "year", Every::yearly}};
  for (const auto& [word, noun, every] : kPeriods) {
    const std::string flag = std::string("--keep-") + word;
    const std::string what = every == Every::all ? "the newest N; -1: all" : std::string("the newest of each ") + noun + ", for N of them; -1: for all";
    flags.parsed(flag, "N", what, [&keep, flag, every = every](const std::string& given) {
      if (const auto count = parse_count(flag, given); count > 0) keep.rules.push_back({.every = every, .count = count});
    });
  }
  for (const auto& [word, noun, every] : kPeriods) {
    const std::string flag = every == Every::all ? "--keep-within" : std::string("--keep-within-") + word;
    const std::string all = "those at most so much older than the newest, for example 30d";
    const std::string what = every == Every::all ? all : std::string("of these the newest of each ") + noun;
    flags.parsed(flag, "TIME", what, [&keep, flag, every = every](const std::string& given) {
      keep.rules.push_back({.every = every, .within_s = parse_within(flag, given)});
    });
  }
  flags.lists("--keep-tag", "TAG,...", keep.tags, "those with all of these tags; may be repeated");
  flags.parsed("--group-by", "WHAT", "ask the rules anew for each host, paths, tags; default: host,paths",
               [&options](const std::string& given) { parse_groups(given, options); });
  flags.flag("-n,--dry-run", options.dry_run, "only show what would be forgotten");
  define_filter(flags, options.filter);
}

void run_forget(Context& context) {
  Session session(context);
  ForgetOptions options = context.arguments.forget;
  options.snapshots = context.arguments.operands;
  if (!options.snapshots.empty() && !options.retention.empty()) {
    throw Error(Code::usage, "give snapshots to forget, or rules of what to keep, not both");
  }
  if (options.snapshots.empty() && options.retention.empty()) {
    throw Error(Code::usage, "nothing says which snapshots to keep", {}, "give --keep-last, --keep-daily or another --keep flag, or snapshots");
  }
  Repository repository = session.open();
  context.view.forgotten(repository.forget(options), options.dry_run);
}

}  // namespace mbu::cli
