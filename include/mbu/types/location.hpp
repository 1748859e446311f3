// Where a repository is, as people write it.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace mbu {

// Whether it is a URL of a store elsewhere; else it is a path.
[[nodiscard]] inline bool is_remote(std::string_view location) noexcept {
  constexpr std::array<std::string_view, 3> kSchemes{"s3:", "sftp:", "rclone:"};
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return location.starts_with(scheme); });
}

}  // namespace mbu
