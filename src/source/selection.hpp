// Selector: what of the trees is packaged, asked by whoever walks them. It promises what restic does: exclude patterns see
// absolute paths, those asked for on the command line too, so that a pattern which names one of these, or a directory above
// it, leaves it out; `--exclude` and exclude files are one list, `--iexclude` is another, and what either names is out.
// Immutable once built, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mbu/types/options.hpp"
#include "source/pattern.hpp"

namespace mbu::source {

class Selector {
 public:
  // `paths`: those asked for. `own_directories`: mbu's own places, left out with all below. All absolute, no "." or "..".
  //
  // Reads the exclude files: a pattern a line, white space around it cut off, variables of the environment expanded; blank lines
  // and those that begin with # say nothing. Throws Code::usage: a file that cannot be read, a malformed pattern or marker.
  Selector(const Selection& selection, const std::vector<std::string>& paths,
           const std::vector<std::string>& own_directories);

  // Nothing below an excluded directory needs asking. Directories are as files here: no restic pattern tells them apart.
  [[nodiscard]] bool excludes(std::string_view path, bool is_directory) const;
  // Of a regular file.
  [[nodiscard]] bool too_large(std::uint64_t size_bytes) const noexcept {
    return largest_bytes_ && size_bytes > *largest_bytes_;
  }
  // The name of the marker (CACHEDIR.TAG, or of --exclude-if-present) that says to leave out the contents of the directory
  // open at `directory`; the directory itself and the marker are packaged. `names`: what is in it, sorted by bytes. A marker
  // with a header must be a regular file; one that cannot be read marks nothing, since leaving out is what cannot be mended.
  [[nodiscard]] std::optional<std::string> tag_of(int directory, const std::vector<std::string>& names) const;
  // The same of the directory around a path that was asked for: its other names are of no interest and may not be readable.
  [[nodiscard]] std::optional<std::string> tag_around(int directory) const;
  [[nodiscard]] bool one_file_system() const noexcept { return one_file_system_; }
  [[nodiscard]] bool gitignore() const noexcept { return gitignore_; }

  // All that decides what is selected, so equal keys select the same. Records of what was packaged under another key
  // must not be used. May hold any bytes.
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  struct Marker {
    std::string name;
    std::string header;  // what the file must begin with
  };
  [[nodiscard]] static Marker parse_marker(const std::string& text);
  [[nodiscard]] static bool is_marked(int directory, const Marker& marker);

  PatternList excludes_;
  PatternList iexcludes_;
  std::vector<std::string> own_directories_;  // sorted, no trailing slash
  std::vector<Marker> markers_;
  std::optional<std::uint64_t> largest_bytes_;
  bool one_file_system_;
  bool gitignore_;
  std::string key_;
};

}  // namespace mbu::source
