#include "keys/desktop.hpp"

#include <unistd.h>

#include <cstdlib>

#include "crypto/secret.hpp"
#include "keys/password_source.hpp"
#include "os/program.hpp"

namespace mbu::keys {
namespace {

constexpr const char* kProgram = "secret-tool";

// Without a session bus there is nobody to ask, and the program would try to start one.
bool has_session_bus() {
  const char* const address = std::getenv("DBUS_SESSION_BUS_ADDRESS");
  if (address != nullptr && *address != '\0') return true;
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && *runtime != '\0' && ::access((std::string(runtime) + "/bus").c_str(), F_OK) == 0;
}

std::vector<std::string> words(std::vector<std::string> first, const RepositoryId& repository) {
  first.insert(first.begin(), kProgram);
  for (const auto& word : {std::string("application"), std::string("mbu"), std::string("repository"), repository.hex()}) first.push_back(word);
  return first;
}

}  // namespace

std::optional<Password> find_on_desktop(const RepositoryId& repository) {
  if (!has_session_bus()) return std::nullopt;
  const crypto::LockedBytes room(kLongestPassword + 1);
  try {
    const auto end = os::run_program({.words = words({"lookup"}, repository), .input = ByteView{}, .output = room.bytes(), .quiet = true});
    if (!end || end->status != 0 || end->printed == 0 || end->printed > kLongestPassword) return std::nullopt;
    return Password::take(reinterpret_cast<char*>(room.bytes().data()), end->printed);
  } catch (const Error&) {
    return std::nullopt;  // a program that cannot be run keeps nothing
  }
}

void keep_on_desktop(const RepositoryId& repository, const std::string& location, const Password& password) {
  if (!has_session_bus()) {
    throw Error(Code::failed, "there is no desktop session here that could keep the password", {}, "without one: mbu key unlock --for 8h");
  }
  const auto end = os::run_program({.words = words({"store", "--label=mbu: " + location}, repository), .input = password.view()});
  if (!end) throw Error(Code::failed, "is not installed: the desktop's secret service is reached through it", kProgram, "apt install libsecret-tools");
  if (end->status != 0) throw Error(Code::failed, os::how_it_ended(*end) + ": the desktop does not keep the password", kProgram);
}

bool drop_from_desktop(const RepositoryId& repository) {
  if (!find_on_desktop(repository)) return false;
  const auto end = os::run_program({.words = words({"clear"}, repository), .input = ByteView{}});
  if (end && end->status == 0) return true;
  throw Error(Code::failed, "does not let go of the password", kProgram, "remove it in the desktop's password manager");
}

}  // namespace mbu::keys
