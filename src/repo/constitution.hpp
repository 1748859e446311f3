// What the owner has said about the repository: all statements that have arrived, taken together (FORMAT.md §9). Any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/statement.hpp"
#include "keys/keyring.hpp"
#include "mbu/types/results.hpp"
#include "store/store.hpp"

namespace mbu::repo {

// What all statements that have arrived say together (FORMAT.md §9).
struct Constitution {
  // What of a writer that was removed counts nevertheless.
  struct Accepted {
    std::set<ObjectName> snapshots, packs;
  };
  struct Writer {
    DomainId domain;
    std::string name;
    std::optional<ObjectName> slot;
  };
  std::map<PublicKey, Writer> admitted;   // ever
  std::map<PublicKey, Writer> writers;    // admitted and not removed
  std::map<PublicKey, Accepted> removed;
  std::vector<std::string> features;      // required to write, and unknown
  std::set<ObjectName> statements;        // that have arrived, damaged ones among them
  std::set<ObjectName> readable;          // of these, those that could be read
  std::vector<ObjectName> heads;          // those that no other names
  std::set<ObjectName> slots;             // added and not removed
  std::set<ObjectName> removed_slots;
  std::set<ObjectName> pins;              // snapshots
  std::set<ObjectName> forgotten;         // snapshots, not pinned
  std::uint64_t largest_number = 0;       // of a statement
  std::uint32_t generation = keys::kFirstGeneration;  // of sealing and domain keys: the current one
  std::map<std::uint32_t, PublicKey> sealing;         // what objects of each generation are sealed to
  std::vector<format::Grant> grants;                  // of keys, to slots
  format::ChunkerParameters chunker;
  std::vector<CheckReport::Finding> damage;  // statements and slots that are missing or damaged
};

// Reads all statements. What is missing or damaged is in the result. Code::failed when one requires a feature that this version does not
// know to read; errors of the store.
[[nodiscard]] Constitution read_constitution(store::Store& store, const keys::Keyring& keyring, const PublicKey& owner);

}  // namespace mbu::repo
