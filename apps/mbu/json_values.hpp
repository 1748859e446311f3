// Values of ours as JSON. Names that are not UTF-8 stand lossily under their key and exactly, in base64, under key_b64.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "mbu/types/credentials.hpp"
#include "mbu/types/results.hpp"
#include "mbu/types/watch.hpp"

namespace mbu::cli {

using Json = nlohmann::ordered_json;

void put_name(Json& object, const std::string& key, const std::string& bytes);
// The same for a list: key_b64 is there when one of them is not UTF-8, and then holds all of them.
void put_names(Json& object, const std::string& key, const std::vector<std::string>& list);

[[nodiscard]] Json snapshot_value(const SnapshotInfo& snapshot);
[[nodiscard]] Json entry_value(const EntryInfo& entry);
[[nodiscard]] Json watcher_value(const WatcherStatus& watcher);
[[nodiscard]] Json credential_value(const CredentialInfo& credential);
[[nodiscard]] Json backup_value(const BackupSummary& summary);

// One line, never an exception for the bytes in it.
[[nodiscard]] std::string one_line(const Json& value);

}  // namespace mbu::cli
