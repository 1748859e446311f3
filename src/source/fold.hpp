// Case folding of names for --iexclude. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace mbu::source {

// The name in lower case, letter by letter, whatever the caller's locale. What is not UTF-8 keeps its bytes.
[[nodiscard]] std::string to_lower(std::string_view name);

}  // namespace mbu::source
