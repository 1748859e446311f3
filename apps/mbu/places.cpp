#include "places.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "mbu/types/error.hpp"

namespace mbu::cli {
namespace {

namespace fs = std::filesystem;

fs::path without_trailing_slash(fs::path path) {
  path = path.lexically_normal();
  return path.has_filename() || path == path.root_path() ? path : path.parent_path();
}

bool has_parent_step(const fs::path& path) {
  for (const auto& part : path) {
    if (part == "..") return true;
  }
  return false;
}

// The part of the real path `path` that is `directory`, perhaps under another name (a bind mount); empty: it does not lead there.
std::string part_within(const std::string& path, const std::string& directory) {
  if (is_within(path, directory)) return directory;
  struct stat wanted {};
  if (::stat(directory.c_str(), &wanted) != 0) return {};
  for (fs::path part = path;; part = part.parent_path()) {
    struct stat status {};
    if (::stat(part.c_str(), &status) == 0 && status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino) return part.string();
    if (!part.has_relative_path()) return {};
  }
}

}  // namespace

std::string absolute_path(const std::string& path) {
  std::error_code error;
  fs::path whole = fs::path(path).is_absolute() ? fs::path(path) : fs::current_path(error) / path;
  if (error) throw Error(Code::failed, "the working directory is gone: " + error.message(), path);
  if (has_parent_step(whole)) {
    const fs::path resolved = fs::weakly_canonical(whole, error);
    if (!error) whole = resolved;
  }
  return without_trailing_slash(whole).string();
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(absolute_path(path), error);
  return error ? absolute_path(path) : without_trailing_slash(resolved).string();
}

std::string last_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string joined(std::string_view directory, std::string_view name) {
  while (name.starts_with('/')) name.remove_prefix(1);
  std::string path(directory);
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

std::string this_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

std::string why_not_there(int number) {
  if (number == ENOENT) return "there is no such file or directory";
  return "cannot be looked at: " + std::generic_category().message(number);
}

void refuse_own_places(const std::string& path, const std::vector<OwnPlace>& places) {
  const std::string real = real_path(path);
  for (const auto& place : places) {
    const std::string inner = part_within(real, place.path);
    if (inner.empty()) continue;
    const std::string where = real == inner ? "is" : "lies in " + inner + ",";
    throw Error(Code::usage, fmt::format("{} {} of mbu itself, which is never packaged", where, place.what), path);
  }
}

std::vector<std::string> own_places_below(const std::vector<std::string>& paths, const std::vector<OwnPlace>& places) {
  std::set<std::string> found;
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_symlink(path, error)) continue;  // only the link is packaged
    const std::string real = real_path(path);
    for (const auto& place : places) {
      if (place.path != real && is_within(place.path, real) && fs::exists(place.path, error)) found.insert(place.path);
    }
  }
  std::vector<std::string> outermost;
  for (const auto& path : found) {
    if (outermost.empty() || !is_within(path, outermost.back())) outermost.push_back(path);
  }
  return outermost;
}

}  // namespace mbu::cli
