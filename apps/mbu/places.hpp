// Paths on this machine: made absolute, compared, and kept away from mbu's own directories. Looks at the file system and
// changes nothing; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mbu::cli {

// Absolute and without ".", "//" and a slash at the end; symlinks stay, except before a "..", which means what the kernel
// takes it for. Code::failed when the working directory is gone.
[[nodiscard]] std::string absolute_path(const std::string& path);

// absolute_path with every symlink resolved, as far as the path exists.
[[nodiscard]] std::string real_path(const std::string& path);

// The last name of an absolute path; empty for "/".
[[nodiscard]] std::string last_name(std::string_view path);
// Whether `path` is `directory` or lies beneath it. Both absolute.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory);
[[nodiscard]] std::string joined(std::string_view directory, std::string_view name);

// This machine's name, as snapshots carry it.
[[nodiscard]] std::string this_host();

// What to say of a path that lstat(2) or stat(2) failed on with this errno.
[[nodiscard]] std::string why_not_there(int number);

// A directory of mbu's own that must never be packaged.
struct OwnPlace {
  const char* what;  // "the packaging directory"
  std::string path;  // real
};

// Throws Code::usage when `path` is one of the places or lies in one, under whatever name.
void refuse_own_places(const std::string& path, const std::vector<OwnPlace>& places);
// Those of the places that are there and lie below one of the absolute paths, the outermost of each, sorted.
[[nodiscard]] std::vector<std::string> own_places_below(const std::vector<std::string>& paths, const std::vector<OwnPlace>& places);

}  // namespace mbu::cli
