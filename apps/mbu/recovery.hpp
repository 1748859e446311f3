// `key export-recovery` and `key recover`.
#pragma once

#include "commands.hpp"
#include "session.hpp"

namespace mbu::cli {

void define_recovery(Flags& flags, KeyFlags& key);

void export_recovery(Context& context, Session& session);
void recover(Context& context, Session& session);

}  // namespace mbu::cli
