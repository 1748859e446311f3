#include "config/search.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "os/file.hpp"

namespace mbu::config {
namespace {

constexpr const char* kLocal = "config.toml";
constexpr const char* kSystem = "/etc/mbu/config.toml";
constexpr std::size_t kLargestFile = 1 << 20;

// A directory that the environment names; empty unless it is absolute (XDG Base Directory Specification).
std::string directory_from(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || value[0] != '/') return {};
  std::string path = value;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Empty as well when it is not there: a system user's home, which nobody is to make.
std::string home_directory() {
  const std::string home = directory_from("HOME");
  return !home.empty() && ::access(home.c_str(), F_OK) == 0 ? home : std::string();
}

std::string user_file() {
  std::string base = directory_from("XDG_CONFIG_HOME");
  if (base.empty()) {
    const std::string home = home_directory();
    if (home.empty()) return {};
    base = home + "/.config";
  }
  return base + "/mbu/config.toml";
}

std::string read_text(const std::string& path) {
  const ByteBuffer bytes = os::read_file(path, kLargestFile, {Code::usage, path});
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Anchors anchors_of(const std::string& path) {
  return {home_directory(), std::filesystem::absolute(path).parent_path().string()};
}

Found read(const std::string& path) { return {path, parse_settings(read_text(path), path, anchors_of(path)), {}}; }

enum class Presence { absent, present, unreadable };

Presence look(const std::string& path) {
  if (path.empty()) return Presence::absent;
  if (::access(path.c_str(), R_OK) == 0) return Presence::present;
  return errno == ENOENT || errno == ENOTDIR ? Presence::absent : Presence::unreadable;
}

bool trusted_owner(const struct stat& status) { return status.st_uid == 0 || status.st_uid == ::geteuid(); }

// Why the opened ./config.toml does not count; empty when it does.
std::string distrust(int file) {
  struct stat link {};
  struct stat opened {};
  if (::lstat(kLocal, &link) != 0 || ::fstat(file, &opened) != 0) return "it cannot be looked at";
  if (!trusted_owner(link) || !trusted_owner(opened)) return "it belongs to another user";
  if ((opened.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "others may write to it";
  return {};
}

std::string read_opened(int file) {
  std::string text(kLargestFile, '\0');
  const MutableBytes room(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  text.resize(os::read_full(file, room, {Code::usage, kLocal}));
  return text;
}

// Nothing when there is no ./config.toml, or none that is mbu's or may be trusted.
std::optional<Found> read_local(std::vector<std::string>& warnings) {
  struct stat status {};
  if (::stat(kLocal, &status) != 0 || !S_ISREG(status.st_mode) || look(kLocal) != Presence::present) return std::nullopt;
  const os::Fd file = os::open_if_exists(AT_FDCWD, kLocal, O_RDONLY | O_NONBLOCK, {Code::usage, kLocal});
  if (!file) return std::nullopt;
  const std::string text = read_opened(file.get());
  if (!looks_like_settings(text)) return std::nullopt;
  const std::string reason = distrust(file.get());
  if (reason.empty()) return Found{kLocal, parse_settings(text, kLocal, anchors_of(kLocal)), {}};
  warnings.push_back("./config.toml is passed over: " + reason);
  return std::nullopt;
}

std::optional<Found> read_if_there(const std::string& path, std::vector<std::string>& warnings) {
  switch (look(path)) {
    case Presence::absent: return std::nullopt;
    case Presence::present: return read(path);
    case Presence::unreadable: warnings.push_back(path + " is passed over: it cannot be read"); return std::nullopt;
  }
  return std::nullopt;
}

// Whether the default now lies at `path`. Not to be able to write it is no error: it says nothing that is not built in.
bool write_default_file(const std::string& path) {
  if (path.empty()) return false;
  try {
    const os::Blame blame{Code::failed, path};
    os::make_directories(std::filesystem::path(path).parent_path().string(), 0700, blame);
    os::replace_file(path, as_bytes(default_file()), 0600, blame);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::optional<Found> first_that_exists(const Search& search, std::vector<std::string>& warnings) {
  if (!search.given.empty()) return read(search.given);
  if (!search.environment.empty()) return read(search.environment);
  if (auto found = read_local(warnings)) return found;
  if (auto found = read_if_there(user_file(), warnings)) return found;
  return read_if_there(kSystem, warnings);
}

}  // namespace

Found find_settings(const Search& search) {
  std::vector<std::string> warnings;
  auto found = first_that_exists(search, warnings);
  if (!found) {
    const std::string path = user_file();
    const bool written = search.write_default && look(path) == Presence::absent && write_default_file(path);
    found = Found{written ? path : "", default_settings({home_directory(), "/"}), {}};
  }
  found->warnings = std::move(warnings);
  return std::move(*found);
}

}  // namespace mbu::config
