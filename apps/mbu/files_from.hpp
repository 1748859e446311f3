// Lists of paths in files, as restic's --files-from and its two strict kin. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mbu::cli {

enum class ListStyle {
  patterns,  // a pattern of paths a line, trimmed; empty lines and lines that begin with # say nothing
  verbatim,  // a path a line, as it is; empty lines say nothing
  raw,       // paths that each end with a zero byte
};

// The paths that `file` lists; "-" is standard input. `warn` is told of patterns that fit nothing. Code::usage when the file
// cannot be read or a raw list is cut short.
[[nodiscard]] std::vector<std::string> read_path_list(const std::string& file, ListStyle style,
                                                      const std::function<void(const std::string&)>& warn);

}  // namespace mbu::cli
