// proc(5), /proc/pid/mountinfo: a line a mount, fields separated by spaces: mount id, parent's id, device, root within the file system,
// mount point. What is at a mount point counts by all of these: ids alone are used again.
#include "ops/watch/mount_table.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace mbu::ops {
namespace {

constexpr std::string_view kPath = "/proc/self/mountinfo";

// Spaces and the like are written as a backslash and three octal digits.
std::string unescaped(std::string_view field) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size() && std::all_of(&field[i + 1], &field[i + 1] + 3, is_octal)) {
      text += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

}  // namespace

MountTable::MountTable() {
  file_ = os::Fd(::open(kPath.data(), O_RDONLY | O_CLOEXEC));
  static_cast<void>(changed());
}

std::vector<std::string> MountTable::changed() {
  std::string text = read();
  if (text == text_) return {};
  auto mounts = parse(text);
  std::vector<Mount> different;
  std::ranges::set_symmetric_difference(mounts_, mounts, std::back_inserter(different));
  text_ = std::move(text);
  mounts_ = std::move(mounts);
  std::vector<std::string> points;
  for (auto& [point, mounted] : different) {
    if (points.empty() || points.back() != point) points.push_back(std::move(point));
  }
  return points;
}

std::vector<std::string> MountTable::points() const {
  std::vector<std::string> points;
  for (const auto& [point, mounted] : mounts_) {
    if (points.empty() || points.back() != point) points.push_back(point);
  }
  return points;
}

// What it was when it cannot be read.
std::string MountTable::read() const {
  if (!file_ || ::lseek(file_.get(), 0, SEEK_SET) != 0) return text_;
  std::string text;
  char buffer[16 * 1024];
  for (;;) {
    const auto got = ::read(file_.get(), buffer, sizeof buffer);
    if (got < 0) return text_;
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

std::vector<MountTable::Mount> MountTable::parse(const std::string& text) {
  constexpr int kFieldsBefore = 4;
  std::vector<Mount> mounts;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    std::size_t at = 0;
    for (int field = 0; field < kFieldsBefore && at != std::string_view::npos; ++field) {
      at = line.find(' ', at);
      if (at != std::string_view::npos) ++at;
    }
    if (at == std::string_view::npos) continue;
    mounts.emplace_back(unescaped(line.substr(at, line.find(' ', at) - at)), line.substr(0, at));
  }
  std::ranges::sort(mounts);
  return mounts;
}

}  // namespace mbu::ops
