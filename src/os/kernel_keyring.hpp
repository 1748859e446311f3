// The kernel's keyring of this login session (keyrings(7)): small secrets that other programs of the session find, and that go by themselves.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace mbu::os {

// The most that a key holds, in bytes.
inline constexpr std::size_t kLargestSessionKey = 32'767;

// Puts `secret` under that name, in the place of what was there; gone after so many seconds. Code::failed when the kernel has no keyrings for us.
void put_session_key(const std::string& name, ByteView secret, std::uint32_t seconds);
// Writes the secret to the start of `to`, which has room for kLargestSessionKey; its size. Nothing when there is none, or no keyrings.
[[nodiscard]] std::optional<std::size_t> find_session_key(const std::string& name, MutableBytes to);
// Whether there was one.
bool remove_session_key(const std::string& name);

}  // namespace mbu::os
