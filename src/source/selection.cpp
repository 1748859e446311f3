#include "source/selection.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "os/file.hpp"

namespace mbu::source {
namespace {

constexpr std::size_t kLargestExcludeFile = 64U << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr const char* kCacheTag = "CACHEDIR.TAG";
constexpr const char* kCacheSignature = "Signature: 8a477f597d28d172789f06886806bc55";

std::string_view trim(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const auto start = line.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return line.substr(start, line.find_last_not_of(kBlanks) + 1 - start);
}

bool is_name_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The name of a variable at the start of `text`, what follows a $, and how much of `text` it takes.
std::pair<std::string_view, std::size_t> variable_in(std::string_view text) {
  if (text.starts_with('{')) {
    const auto end = text.find('}');
    if (end == std::string_view::npos) return {{}, 1};
    return {text.substr(1, end - 1), end + 1};
  }
  constexpr std::string_view kSpecial = "*#$@!?-0123456789";
  if (!text.empty() && kSpecial.find(text.front()) != std::string_view::npos) return {text.substr(0, 1), 1};
  const auto end = std::ranges::find_if_not(text, is_name_letter);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, length), length};
}

// $NAME and ${NAME} replaced from the environment as Go's os.Expand does for restic: what is not set is nothing, $$ is $, and a $
// before anything else stays.
std::string expanded(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const auto dollar = std::min(line.find('$'), line.size());
    text += line.substr(0, dollar);
    line.remove_prefix(dollar);
    if (line.empty()) break;
    line.remove_prefix(1);
    const auto [name, length] = variable_in(line);
    if (length == 0 || name == "$") {
      text += '$';
    } else if (const char* const value = std::getenv(std::string(name).c_str()); value != nullptr) {
      text += value;
    }
    line.remove_prefix(length);
  }
  return text;
}

std::vector<std::string> patterns_in(std::string_view text) {
  std::vector<std::string> patterns;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    if (!line.starts_with('#')) {
      if (auto pattern = expanded(line); !pattern.empty()) patterns.push_back(std::move(pattern));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return patterns;
}

std::vector<std::string> read_patterns(const std::string& file) {
  const auto bytes = os::read_file(file, kLargestExcludeFile, {Code::usage, file});
  auto patterns = patterns_in(as_text(bytes));
  try {
    (void)PatternList::compile(patterns, Case::sensitive);
  } catch (const Error& error) {
    throw error.within(file);
  }
  return patterns;
}

std::vector<std::string> all_excludes(const Selection& selection) {
  auto patterns = selection.excludes;
  for (const auto& file : selection.exclude_files) std::ranges::move(read_patterns(file), std::back_inserter(patterns));
  return patterns;
}

std::vector<std::string> sorted_directories(std::vector<std::string> directories) {
  for (auto& directory : directories) {
    while (directory.ends_with('/')) directory.pop_back();
  }
  std::ranges::sort(directories);
  directories.erase(std::unique(directories.begin(), directories.end()), directories.end());
  return directories;
}

// Strings and lists with their lengths before them: no two selections have the same key.
class KeyWriter {
 public:
  void add(std::string_view text) { key_ += std::to_string(text.size()) + ':' + std::string(text); }
  void add(std::uint64_t number) { add(std::string_view(std::to_string(number))); }
  void add(const std::vector<std::string>& list) {
    add(std::uint64_t{list.size()});
    for (const auto& text : list) add(std::string_view(text));
  }
  std::string take() { return std::move(key_); }

 private:
  std::string key_ = "selection 1 ";
};

}  // namespace

Selector::Selector(const Selection& selection, const std::vector<std::string>& paths,
                   const std::vector<std::string>& own_directories)
    : own_directories_(sorted_directories(own_directories)),
      largest_bytes_(selection.exclude_larger_than),
      one_file_system_(selection.one_file_system),
      gitignore_(selection.gitignore) {
  const auto excludes = all_excludes(selection);
  excludes_ = PatternList::compile(excludes, Case::sensitive);
  iexcludes_ = PatternList::compile(selection.iexcludes, Case::ignored);
  for (const auto& text : selection.exclude_if_present) markers_.push_back(parse_marker(text));
  if (selection.exclude_caches) markers_.push_back({kCacheTag, kCacheSignature});

  KeyWriter key;
  key.add(excludes);
  key.add(selection.iexcludes);
  key.add(own_directories_);
  key.add(std::uint64_t{markers_.size()});
  for (const auto& marker : markers_) {
    key.add(marker.name);
    key.add(marker.header);
  }
  key.add(largest_bytes_ ? std::to_string(*largest_bytes_) : "");
  key.add(std::uint64_t{one_file_system_});
  key.add(std::uint64_t{gitignore_});
  // The paths decide only where a file system begins and from which .gitignore files on rules count. A run that asks for other
  // paths may use the records else.
  key.add(one_file_system_ || gitignore_ ? sorted_directories(paths) : std::vector<std::string>());
  key_ = key.take();
}

Selector::Marker Selector::parse_marker(const std::string& text) {
  const auto colon = std::min(text.find(':'), text.size());
  Marker marker{text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))};
  if (marker.name.empty() || marker.name == "." || marker.name == ".." || marker.name.find('/') != std::string::npos) {
    throw Error(Code::usage, "is not the name of a file in a directory", text, "give NAME or NAME:HEADER");
  }
  return marker;
}

bool Selector::excludes(std::string_view path, bool /*is_directory*/) const {
  for (const std::string_view own : own_directories_) {
    if (path.starts_with(own) && (path.size() == own.size() || path[own.size()] == '/')) return true;
  }
  return excludes_.matches(path) || iexcludes_.matches(path);
}

bool Selector::is_marked(int directory, const Marker& marker) {
  if (marker.header.empty()) return true;  // to be there is enough, whatever it is
  const os::Blame blame{Code::source, marker.name};
  try {
    // Nonblocking: opening a FIFO of that name must not wait for a writer.
    const auto file = os::open_at(directory, marker.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, blame);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    std::string begin(marker.header.size(), '\0');
    const MutableBytes room(reinterpret_cast<std::uint8_t*>(begin.data()), begin.size());
    return os::read_full(file.get(), room, blame) == begin.size() && begin == marker.header;
  } catch (const Error& error) {
    if (error.code() != Code::source) throw;
    return false;
  }
}

std::optional<std::string> Selector::tag_around(int directory) const {
  for (const auto& marker : markers_) {
    const bool there = ::faccessat(directory, marker.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && is_marked(directory, marker)) return marker.name;
  }
  return std::nullopt;
}

std::optional<std::string> Selector::tag_of(int directory, const std::vector<std::string>& names) const {
  for (const auto& marker : markers_) {
    if (std::ranges::binary_search(names, marker.name) && is_marked(directory, marker)) return marker.name;
  }
  return std::nullopt;
}

}  // namespace mbu::source
