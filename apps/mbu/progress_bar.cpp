// Throughput is an average whose weight halves about every two seconds: steady enough to read, quick enough to be true. The
// time left is what remains at that pace, shown once the total is known.
#include "progress_bar.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "escape.hpp"
#include "output.hpp"
#include "units.hpp"

namespace mbu::cli {
namespace {

constexpr auto kSilence = std::chrono::milliseconds(500);  // what is over by then needs no bar
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainLine = std::chrono::seconds(5);
constexpr auto kMeasure = std::chrono::milliseconds(250);
constexpr double kHalfLife = 2.0;
constexpr std::size_t kMargin = 3;     // columns left free: a "^C" that the terminal echoes must not wrap
constexpr std::size_t kLeastPath = 10;  // a shorter piece of a path says nothing

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

void ProgressBar::restart() {
  erase();
  started_ = drawn_ = measured_ = Clock::now();
  measured_bytes_ = 0;
  bytes_per_second_ = 0;
}

void ProgressBar::measure(const Progress& progress, Clock::time_point now) {
  const double span = seconds_between(measured_, now);
  if (now - measured_ < kMeasure) return;
  const double bytes = static_cast<double>(progress.bytes_done - std::min(progress.bytes_done, measured_bytes_));
  const double weight = measured_ == started_ ? 1.0 : 1.0 - std::exp2(-span / kHalfLife);
  bytes_per_second_ += weight * (bytes / span - bytes_per_second_);
  measured_ = now;
  measured_bytes_ = progress.bytes_done;
}

void ProgressBar::update(const Progress& progress) {
  if (style_ == Style::none) return;
  const auto now = Clock::now();
  measure(progress, now);
  const bool bar = style_ == Style::bar;
  if (now - started_ < kSilence || now - drawn_ < (bar ? Clock::duration(kRedraw) : Clock::duration(kPlainLine))) return;
  drawn_ = now;
  const double elapsed = seconds_between(started_, now);
  if (!bar) return write_to_error(line(progress, elapsed, Shown::all) + '\n');
  const std::size_t columns = std::max(terminal_columns(), kMargin + 1) - kMargin;
  std::string text;
  for (const auto shown : {Shown::all, Shown::without_elapsed, Shown::without_bytes, Shown::without_files}) {
    text = line(progress, elapsed, shown);
    if (columns_of(text) <= columns) break;
  }
  const std::size_t used = columns_of(text);
  if (!progress.current.empty() && used + kLeastPath + 2 <= columns) {
    text += "  " + fitted(printable(progress.current), columns - used - 2);
  }
  if (used > columns) text = fitted(text, columns);
  write_to_error("\r\x1b[K" + text);
  visible_ = true;
}

std::string ProgressBar::line(const Progress& progress, double elapsed, Shown shown) const {
  std::string text = shown < Shown::without_elapsed ? fmt::format("[{}] ", format_clock(elapsed)) : std::string();
  const bool known = progress.totals_final && progress.bytes_total > 0;
  if (known) {
    const double part = static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes_total);
    text += fmt::format("{:.1f}%  ", 100 * std::min(part, 1.0));
  }
  if (shown < Shown::without_files) {
    text += fmt::format("{} / {} files  ", format_count(progress.files_done), format_count(progress.files_total));
  }
  if (shown < Shown::without_bytes) {
    text += fmt::format("{} / {}  ", format_bytes(progress.bytes_done), format_bytes(progress.bytes_total));
  }
  text += fmt::format("{}/s", format_bytes(static_cast<std::uint64_t>(bytes_per_second_)));
  if (known && bytes_per_second_ >= 1 && progress.bytes_total >= progress.bytes_done) {
    const double left = static_cast<double>(progress.bytes_total - progress.bytes_done) / bytes_per_second_;
    if (left < 360'000) text += fmt::format("  {} left", format_clock(left));
  }
  return text;
}

void ProgressBar::erase() {
  if (!visible_) return;
  write_to_error("\r\x1b[K");
  visible_ = false;
}

}  // namespace mbu::cli
