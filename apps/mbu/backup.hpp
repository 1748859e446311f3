// What `backup` and -o share.
#pragma once

#include <string>

#include "arguments.hpp"
#include "mbu/repository.hpp"
#include "session.hpp"

namespace mbu::cli {

// Flags of `watch`, too.
void define_selection(Flags& flags, Selection& selection);
// Tags and host.
void define_labels(Flags& flags, BackupFlags& backup);

// The paths that are there, absolute; those that are not are told as problems. Code::not_found when none is left.
[[nodiscard]] std::vector<std::string> existing_paths(const std::vector<std::string>& given, View& view);
// Each once; an empty one marks nothing.
[[nodiscard]] std::vector<std::string> all_tags(const std::vector<std::vector<std::string>>& lists);
// What a DIR of the short forms stands for: its target when it is a symlink. `flag`: for messages.
[[nodiscard]] std::string existing_target(const std::string& flag, const std::string& given);

// What the configuration and mbu's own places add to the options.
void complete(BackupOptions& options, Context& context, Session& session);

// Makes the snapshot and shows what came of it. `restore_arguments`: what brings it back, after the program's name; empty:
// `restore ID`.
void package(Context& context, Session& session, Repository& repository, BackupOptions options,
             const std::string& restore_arguments);

}  // namespace mbu::cli
