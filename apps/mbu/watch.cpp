// `watch`, and what -w shares with it; `status`.
#include "watch.hpp"

#include <unistd.h>

#include <memory>
#include <utility>

#include "backup.hpp"
#include "flags.hpp"
#include "mbu/watchers.hpp"
#include "output.hpp"
#include "restore.hpp"
#include "service_manager.hpp"
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
  ControlLine(Context& context, WatchControl& control, const std::vector<std::string>& paths, std::string restore_directory)
      : context_(context), control_(control), paths_(paths), restore_directory_(std::move(restore_directory)) {}

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
    } else if (word == "-d" || word == "d") {
      restore();
    } else if (!word.empty()) {
      context_.view.warning("s shows the state, -d restores the latest snapshot, q ends it");
    }
  }

  // With a repository of its own, since the watcher's can be read no longer. What goes wrong ends nothing but this.
  void restore() {
    try {
      Session session(context_, Session::Ask::in_any_case);
      notice(session.configuration().restore_directory);
      for (const auto& path : paths_) restore_latest(context_, session, path);
    } catch (const Error& error) {
      context_.view.failed(error, exit_status(error.code()));
    }
    context_.view.begin(Activity::backup);
  }

  // The configuration was read anew: what is restored into another directory must not be packaged.
  void notice(const std::string& restore_directory) {
    if (std::exchange(restore_directory_, restore_directory) != restore_directory) control_.reload();
  }

  Context& context_;
  WatchControl& control_;
  const std::vector<std::string>& paths_;
  std::string restore_directory_;
  std::string text_;
};

WatchOptions options_of(const Context& context, const Configuration::Watcher& configured, BackupOptions backup) {
  const WatchFlags& flags = context.arguments.watch;
  WatchOptions options;
  options.backup = std::move(backup);
  options.feed = flags.feed.value_or(feed_named(configured.module));
  options.settle_ms = flags.settle_ms.value_or(configured.settle_ms);
  options.max_delay_ms = flags.max_delay_ms.value_or(configured.max_delay_ms);
  options.keep = configured.keep;
  options.keep_owner = flags.keep_owner;
  options.poll_interval_ms = configured.poll_interval_ms.value_or(0);
  return options;
}

}  // namespace

void define_watch(Flags& flags, Arguments& arguments) {
  WatchFlags& watch = arguments.watch;
  flags.heading("When");
  flags.parsed("--settle", "TIME", "how long it must be quiet before a change is packaged; default: as configured, or 300ms",
               [&watch](const std::string& given) { watch.settle_ms = parse_milliseconds("--settle", given); });
  flags.parsed("--max-delay", "TIME", "how long to wait at most while changes go on; default: as configured, or 30s",
               [&watch](const std::string& given) { watch.max_delay_ms = parse_milliseconds("--max-delay", given); });
  std::string words;
  for (const auto& [word, feed] : kFeeds) words += (words.empty() ? "" : "|") + word;
  flags.parsed("--feed", words.c_str(), "what tells of changes; default: as configured, or the best that is permitted",
               [&watch, words](const std::string& given) {
                 watch.feed = feed_named(given);
                 if (given != "auto" && watch.feed == Feed::automatic) {
                   throw Error(Code::usage, "--feed wants one of " + words + ", not '" + given + "'");
                 }
               });
  flags.flag("--keep-owner", watch.keep_owner, "keep the owner's keys in memory, to forget old snapshots as watcher.keep says");
  flags.heading("");  // not shown
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
  watch(context, session, repository, options);
}

void run_status(Context& context) { context.view.watchers(watchers(default_state_directory())); }

void watch(Context& context, Session& session, Repository& repository, const BackupOptions& given) {
  // Nothing asks for it again but a person's -d.
  context.given.reset();
  context.environment.reset();
  const auto complete_options = [&](Session& configured) {
    auto backup = given;
    complete(backup, context, configured);
    return options_of(context, configured.configuration().watcher, std::move(backup));
  };
  auto options = complete_options(session);
  const auto manager = std::make_shared<const ServiceManager>();
  WatchControl control;
  const bool at_terminal = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  const StopBySignal by_signal(control, at_terminal ? StopBySignal::HangUp::ends : StopBySignal::HangUp::reloads);
  ControlLine terminal(context, control, given.paths, session.configuration().restore_directory);
  const auto set_callbacks = [&](WatchOptions& to) {
    to.control = &control;
    if (at_terminal) to.input = STDIN_FILENO;
    to.on_input = [&] { return terminal.read(); };
    to.ready = [&](const std::string& feed) {
      manager->ready("watching by " + feed);
      context.view.watching({given.paths, feed, repository.location(), at_terminal, options.keep_owner && repository.is_owner()});
    };
    to.change = [&](std::uint64_t directories) { context.view.change(directories); };
    to.published = [&](const BackupSummary& summary) {
      manager->status("last snapshot " + summary.snapshot->hex().substr(0, 8));
      context.view.watched(summary);
    };
    to.alive_ms = manager->alive_interval_ms();
    to.alive = [manager] { manager->alive(); };
  };
  set_callbacks(options);
  options.reload = [&] {
    manager->reloading();
    Session again(context);
    if (again.location() != session.location()) {
      context.view.warning("the packaging directory is another one now: it is used when the watcher is started again");
    }
    auto next = complete_options(again);
    set_callbacks(next);
    next.reload = options.reload;
    return next;
  };
  context.view.on_progress(options.alive);
  context.status = 0;  // what could not be read in one snapshot is no matter of how the watcher ended
  try {
    repository.watch(options);
  } catch (const Error& error) {
    if (error.code() != Code::interrupted) throw;  // a watcher that was told to end has ended
  }
  manager->stopping();
}

}  // namespace mbu::cli
