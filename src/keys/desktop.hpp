// The desktop's secret service (freedesktop.org's Secret Service API: GNOME Keyring, KWallet, KeePassXC), spoken to through libsecret's own program,
// secret-tool: no desktop's libraries are linked into a program that mostly runs without one. It keeps a password for each repository until it is
// taken out again. Any thread.
#pragma once

#include <optional>

#include "mbu/types/ids.hpp"
#include "mbu/types/password.hpp"

namespace mbu::keys {

// Nothing without a desktop, without secret-tool, or when it keeps none. It may ask its user to unlock it.
[[nodiscard]] std::optional<Password> find_on_desktop(const RepositoryId& repository);
// Takes the place of one that is kept. `location`: for people. Code::failed when it cannot be kept.
void keep_on_desktop(const RepositoryId& repository, const std::string& location, const Password& password);
// Whether one was kept.
bool drop_from_desktop(const RepositoryId& repository);

}  // namespace mbu::keys
