// What the public headers promise and no operation is needed for.
#include <sys/types.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "mbu/repository.hpp"

namespace mbu {
namespace {

// $VARIABLE/mbu, or ~/FALLBACK/mbu; empty without a home. XDG ignores relative paths.
std::string xdg_directory(const char* variable, const char* fallback) {
  if (const char* const set = std::getenv(variable); set != nullptr && set[0] == '/') return std::string(set) + "/mbu";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/' || ::access(home, F_OK) != 0) return {};  // one that is not there is not made
  return std::string(home) + '/' + fallback + "/mbu";
}

}  // namespace

std::string version() { return MBU_VERSION; }

std::string default_cache_directory() { return xdg_directory("XDG_CACHE_HOME", ".cache"); }
std::string default_state_directory() { return xdg_directory("XDG_STATE_HOME", ".local/state"); }

std::optional<Compression> parse_compression(const std::string& text) {
  if (text == "off") return Compression{0, true};
  if (text == "fast") return Compression{1, false};
  if (text == "default") return Compression{};
  if (text == "max") return Compression{19, false};
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc{} || end != text.data() + text.size() || level < 1 || level > 19) return std::nullopt;
  return Compression{level, false};
}

}  // namespace mbu
