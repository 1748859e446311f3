// Passwords and writers' credentials as callers see them. Plain values, without secrets but where it is said.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mbu/types/ids.hpp"
#include "mbu/types/options.hpp"

namespace mbu {

struct CredentialInfo {
  enum class Role { owner, writer };
  ObjectName id;                // of its slot
  Role role = Role::owner;
  std::string name;
  Kdf kdf = Kdf::argon2id;
  std::uint32_t memory_kib = 0; // Argon2id
  std::uint32_t passes = 0;     // Argon2id passes or PBKDF2 iterations
  std::int64_t created_s = 0;   // since 1970
  std::optional<DomainId> domain;  // a writer's
  bool with_owner = false;      // of the domain "main"
  bool present = false;         // its slot is in the repository, and whole: only then is known what it says of itself
  bool current = false;         // the repository was opened with it
};

struct CredentialOptions {
  std::string name;             // for people; empty: as with `init`
  InitOptions kdf;              // its slot_name is not used
};

struct NewWriterOptions {
  std::string name;             // not empty
  std::string domain;           // whom it deduplicates with, by name; "main": the owner; empty: nobody
  std::string file;             // absolute: where its credential goes; must not exist
  std::optional<Password> password;  // protects the credential; nothing: whoever has it can use it
  InitOptions kdf;              // of that password
};

// A new generation of the keys under which data is named and sealed.
struct Rotation {
  std::uint32_t generation = 0;          // from now on; the first is 1
  std::vector<CredentialInfo> granted;   // who was given its keys
};

}  // namespace mbu
