#include "signals.hpp"

#include <signal.h>

#include <atomic>

namespace mbu::cli {
namespace {

Interrupt* target = nullptr;
std::atomic<WatchControl*> watcher{nullptr};
std::atomic<bool> hang_up_reloads{false};

void on_signal(int number) {
  auto* const control = watcher.load();
  if (control != nullptr && number == SIGHUP && hang_up_reloads) {
    control->reload();
    return;
  }
  if (control != nullptr && !control->stopping()) {
    control->stop();
    return;
  }
  if (target->raised()) {
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
  target->raise();
}

}  // namespace

void install_signal_handlers(Interrupt& interrupt) noexcept {
  target = &interrupt;
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: a read that waits for a person must end
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);  // nohup
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);  // who started mbu may ignore it, and then nobody learns how a child ended
}

StopBySignal::StopBySignal(WatchControl& control, HangUp hang_up) noexcept {
  hang_up_reloads = hang_up == HangUp::reloads;
  watcher = &control;
}
StopBySignal::~StopBySignal() { watcher = nullptr; }

}  // namespace mbu::cli
