#include "entries.hpp"

#include <sys/stat.h>

namespace mbu::cli {
namespace {

char type_letter(EntryType type) noexcept {
  switch (type) {
    case EntryType::directory: return 'd';
    case EntryType::regular: return '-';
    case EntryType::symlink: return 'l';
    case EntryType::fifo: return 'p';
    case EntryType::socket: return 's';
    case EntryType::character_device: return 'c';
    case EntryType::block_device: return 'b';
  }
  return '?';
}

// The third letter of a triple: executable, special (setuid, setgid, sticky), both or neither.
char execute_letter(bool executable, bool special, char both) noexcept {
  if (!special) return executable ? 'x' : '-';
  return executable ? both : static_cast<char>(both - 'a' + 'A');
}

}  // namespace

std::string permissions_of(const EntryInfo& entry) {
  const std::uint32_t mode = entry.mode;
  const auto has = [mode](unsigned bit) { return (mode & bit) != 0; };
  std::string text(1, type_letter(entry.type));
  text += has(S_IRUSR) ? 'r' : '-';
  text += has(S_IWUSR) ? 'w' : '-';
  text += execute_letter(has(S_IXUSR), has(S_ISUID), 's');
  text += has(S_IRGRP) ? 'r' : '-';
  text += has(S_IWGRP) ? 'w' : '-';
  text += execute_letter(has(S_IXGRP), has(S_ISGID), 's');
  text += has(S_IROTH) ? 'r' : '-';
  text += has(S_IWOTH) ? 'w' : '-';
  text += execute_letter(has(S_IXOTH), has(S_ISVTX), 't');
  return text;
}

const char* type_name(EntryType type) noexcept {
  switch (type) {
    case EntryType::directory: return "dir";
    case EntryType::regular: return "file";
    case EntryType::symlink: return "symlink";
    case EntryType::fifo: return "fifo";
    case EntryType::socket: return "socket";
    case EntryType::character_device: return "chardev";
    case EntryType::block_device: return "dev";
  }
  return "irregular";
}

const char* modifier_of(DiffLine::Kind kind) noexcept {
  switch (kind) {
    case DiffLine::Kind::added: return "+";
    case DiffLine::Kind::removed: return "-";
    case DiffLine::Kind::content: return "M";
    case DiffLine::Kind::metadata: return "U";
    case DiffLine::Kind::type: return "T";
  }
  return "?";
}

const char* role_name(CredentialInfo::Role role) noexcept { return role == CredentialInfo::Role::owner ? "owner" : "writer"; }

const char* activity_name(WatcherStatus::Activity activity) noexcept {
  switch (activity) {
    case WatcherStatus::Activity::comparing: return "comparing";
    case WatcherStatus::Activity::waiting: return "waiting";
    case WatcherStatus::Activity::packaging: return "packaging";
    case WatcherStatus::Activity::retrying: return "retrying";
  }
  return "";
}

}  // namespace mbu::cli
