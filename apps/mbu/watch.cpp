// `watch`, and what -w shares with it.
#include "watch.hpp"

#include <unistd.h>

#include <utility>

#include "backup.hpp"
#include "flags.hpp"
#include "output.hpp"
#include "signals.hpp"
#include "view.hpp"

namespace mbu::cli {
namespace {

using Feed = WatchOptions::Feed;

const std::vector<std::pair<std::string, Feed>> kFeeds{
    {"auto", Feed::automatic}, {"fanotify", Feed::fanotify}, {"inotify", Feed::inotify}, {"poll", Feed::poll}};

Feed feed_named(const std::string& name) {
  for (const auto& [word, feed] : kFeeds) {
    if (word == name) return feed;
  }
  return Feed::automatic;  // the configuration was checked
}

std::int64_t parse_milliseconds(const std::string& flag, const std::string& given) {
  if (const auto length = parse_duration_ms(given)) return *length;
  throw Error(Code::usage, flag + " wants a length of time such as 300ms, 30s or 5m, not '" + given + "'");
}

// Lines that a person types while it watches.
class ControlLine {
 public:
  ControlLine(Context& context, WatchControl& control) : context_(context), control_(control) {}

  // False when the terminal is gone.
  bool read() {
    if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return false;  // in the background: reading would stop the process
    char buffer[256];
    const auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(got));
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      obey(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
    return true;
  }

 private:
  void obey(const std::string& word) {
    if (word == "q") {
      control_.stop();
    } else if (word == "s") {
      context_.view.watch_state();
    } else if (!word.empty()) {
      context_.view.warning("s shows the state, q ends it");
    }
  }

  Context& context_;
  WatchControl& control_;
  std::string text_;
};

WatchOptions options_of(const Context& context, const Configuration::Watcher& configured, BackupOptions backup) {
  const WatchFlags& flags = context.arguments.watch;
  WatchOptions options;
  options.backup = std::move(backup);
  options.feed = flags.feed.value_or(feed_named(configured.module));
  options.settle_ms = flags.settle_ms.value_or(configured.settle_ms);
  options.max_delay_ms = flags.max_delay_ms.value_or(configured.max_delay_ms);
  options.poll_interval_ms = configured.poll_interval_ms.value_or(0);
  return options;
}

}  // namespace

void define_watch(Flags& flags, Arguments& arguments) {
  WatchFlags& watch = arguments.watch;
  flags.heading("When");
  flags.parsed("--settle", "TIME", "how long it must be quiet before a change is packaged; default: 300ms",
               [&watch](const std::string& given) { watch.settle_ms = parse_milliseconds("--settle", given); });
  flags.parsed("--max-delay", "TIME", "how long to wait at most while changes go on; default: 30s",
               [&watch](const std::string& given) { watch.max_delay_ms = parse_milliseconds("--max-delay", given); });
  std::string words;
  for (const auto& [word, feed] : kFeeds) words += (words.empty() ? "" : "|") + word;
  flags.parsed("--feed", words.c_str(), "what tells of changes; default: the best that is permitted",
               [&watch, words](const std::string& given) {
                 watch.feed = feed_named(given);
                 if (given != "auto" && watch.feed == Feed::automatic) {
                   throw Error(Code::usage, "--feed wants one of " + words + ", not '" + given + "'");
                 }
               });
  flags.parsed("--push", "DEST", "", [](const std::string&) {
    throw Error(Code::usage, "--push is not in this version: nothing is copied anywhere");
  });
  define_selection(flags, arguments.backup.options.selection);
  define_labels(flags, arguments.backup);
}

void run_watch(Context& context) {
  Session session(context);
  context.view.begin(Activity::backup);
  BackupOptions options = context.arguments.backup.options;
  options.tags = all_tags(context.arguments.backup.tags);
  options.paths = existing_paths(context.arguments.operands, context.view);
  for (const auto& path : options.paths) refuse_own_places(path, session.own_places());
  Repository repository = session.open_or_make();
  watch(context, session, repository, std::move(options));
}

void watch(Context& context, Session& session, Repository& repository, BackupOptions backup) {
  complete(backup, context, session);
  auto options = options_of(context, session.configuration().watcher, std::move(backup));
  WatchControl control;
  const StopBySignal by_signal(control);
  ControlLine terminal(context, control);
  options.control = &control;
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) options.input = STDIN_FILENO;
  options.on_input = [&] { return terminal.read(); };
  options.ready = [&](const std::string& feed) {
    context.view.watching({options.backup.paths, feed, repository.location(), options.input >= 0});
  };
  options.change = [&](std::uint64_t directories) { context.view.change(directories); };
  options.published = [&](const BackupSummary& summary) { context.view.watched(summary); };
  context.status = 0;  // what could not be read in one snapshot is no matter of how the watcher ended
  try {
    repository.watch(options);
  } catch (const Error& error) {
    if (error.code() != Code::interrupted) throw;  // a watcher that was told to end has ended
  }
}

}  // namespace mbu::cli
