#include "files_from.hpp"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "mbu/types/error.hpp"
#include "places.hpp"

namespace mbu::cli {
namespace {

std::string read_all(const std::string& file) {
  const bool standard = file == "-";
  const int fd = standard ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const auto fail = [&file](int number) {
    return Error(Code::usage, "cannot read the list of paths: " + std::generic_category().message(number), file, {}, number);
  };
  if (fd < 0) throw fail(errno);
  std::string text;
  std::array<char, 65536> piece{};
  ssize_t n = 0;
  while ((n = ::read(fd, piece.data(), piece.size())) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  const int number = errno;
  if (!standard) ::close(fd);
  if (n < 0) throw fail(number);
  return text;
}

// The pieces before each `end`; a last one without it counts unless it is empty.
std::vector<std::string> split(std::string_view text, char end) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const auto at = text.find(end);
    pieces.emplace_back(text.substr(0, at));
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  }
  return pieces;
}

std::string trimmed(const std::string& line) {
  constexpr const char* kSpace = " \t\r\v\f";
  const auto first = line.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(kSpace) - first + 1);
}

// glob(3) with names that begin with a dot, but without "." and "..", which a leading ".*" would fit.
std::vector<std::string> expand(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_PERIOD, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      const std::string path = found.gl_pathv[i];
      const std::string name = last_name(path);
      if ((name != "." && name != "..") || path == pattern) paths.push_back(path);
    }
  }
  ::globfree(&found);
  return paths;
}

}  // namespace

std::vector<std::string> read_path_list(const std::string& file, ListStyle style,
                                        const std::function<void(const std::string&)>& warn) {
  const std::string text = read_all(file);
  if (style == ListStyle::raw && !text.empty() && text.back() != '\0') {
    throw Error(Code::usage, "the list of paths does not end with a zero byte", file);
  }
  std::vector<std::string> paths;
  for (const auto& line : split(text, style == ListStyle::raw ? '\0' : '\n')) {
    const std::string entry = style == ListStyle::patterns ? trimmed(line) : line;
    if (style == ListStyle::raw && entry.empty()) throw Error(Code::usage, "the list of paths has an empty path", file);
    if (entry.empty() || (style == ListStyle::patterns && entry[0] == '#')) continue;
    if (style != ListStyle::patterns) {
      paths.push_back(entry);
      continue;
    }
    const auto fitting = expand(entry);
    if (fitting.empty()) warn("the pattern '" + entry + "' of " + file + " fits no path");
    paths.insert(paths.end(), fitting.begin(), fitting.end());
  }
  return paths;
}

}  // namespace mbu::cli
