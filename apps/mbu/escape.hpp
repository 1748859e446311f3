// Names are raw bytes; what shows them must not obey them. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace mbu::cli {

// `bytes` for a terminal or a log: control characters, bytes that are not UTF-8 and characters that reorder text become
// \n, \x1b, \u202e; a backslash is doubled when something else was escaped.
[[nodiscard]] std::string printable(std::string_view bytes);

// One word for a shell, quoted only where it must be; control characters as $'…'.
[[nodiscard]] std::string shell_word(std::string_view bytes);

[[nodiscard]] bool is_utf8(std::string_view bytes);
// Every byte that is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string lossy_utf8(std::string_view bytes);
[[nodiscard]] std::string base64(std::string_view bytes);

// `text` (printable) cut to at most `columns` columns of a terminal, its beginning left out. Counts by wcwidth.
[[nodiscard]] std::string fitted(const std::string& text, std::size_t columns);
[[nodiscard]] std::size_t columns_of(std::string_view text);

}  // namespace mbu::cli
