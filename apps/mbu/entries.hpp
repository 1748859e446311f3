// Words for what entries and differences are. Pure; any thread.
#pragma once

#include <string>

#include "mbu/types/credentials.hpp"
#include "mbu/types/results.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

// "-rwxr-sr-t" as ls(1) shows it.
[[nodiscard]] std::string permissions_of(const EntryInfo& entry);
// restic's names: file, dir, symlink, fifo, socket, chardev, dev.
[[nodiscard]] const char* type_name(EntryType type) noexcept;
// restic's letters: + - M U T.
[[nodiscard]] const char* modifier_of(DiffLine::Kind kind) noexcept;

// "owner", "writer".
[[nodiscard]] const char* role_name(CredentialInfo::Role role) noexcept;

// "comparing", "waiting", "packaging", "retrying".
[[nodiscard]] const char* activity_name(WatcherStatus::Activity activity) noexcept;

}  // namespace mbu::cli
