// Keys that were unlocked once stay unlocked for a while: what a slot wrapped lies in the kernel's keyring of this login session, so that scripts
// ask once. Any thread.
#pragma once

#include <optional>

#include "keys/slot.hpp"

namespace mbu::keys {

struct SessionKeys {
  Unlocked secrets;
  ObjectName slot;  // that they came from
};

// Code::failed when the kernel keeps none.
void keep_in_session(const RepositoryId& repository, const Unlocked& unlocked, const ObjectName& slot, std::uint32_t seconds);
// Nothing when none are there, or they are no longer understood.
[[nodiscard]] std::optional<SessionKeys> find_in_session(const RepositoryId& repository);
// Whether there were any.
bool drop_from_session(const RepositoryId& repository);

}  // namespace mbu::keys
