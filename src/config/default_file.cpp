#include "config/search.hpp"

namespace mbu::config {

std::string_view default_file() {
  return R"(# mbu's configuration. Every value below is the default; unknown keys are errors.
# "~" is the home directory; a relative path starts at the folder of this file.
# A length of time has its unit: "300ms", "30s", "1m", "2h".

[packer]
# Where packages go: a repository, made on first use. Flag -r and MBU_REPOSITORY come before it.
package_directory = "~/mbu-packages"

# Where -d restores to, and restore without --target.
restore_directory = "~/mbu-restored"

# "repository". ("package", one self-contained .mbu file a directory, is not in this version, and refused.)
module = "repository"

# "off", "fast", "default", "max" or a zstd level from 1 to 19. Flag --compression comes before it.
compression = "default"

# Patterns of what is never packaged, for example ["*.tmp", "node_modules", "/home/*/.cache"].
exclude = []

[watcher]
# How changes are noticed: "auto", "fanotify", "inotify" or "poll".
module = "auto"

# How long it must be quiet before a change is packaged, and how long that may be put off.
settle = "300ms"
max_delay = "30s"

# How often "poll" looks. "auto": 150 times what the last look took, at least 2 s.
poll_interval = "auto"

# Which snapshots stay, for example "1h all, 1d hourly, 1M daily, forever weekly": of the last hour all, of the last day the newest of each
# hour, and so on (units s, min, h, d, w, M, y). The others are forgotten. "": all stay. Wants `mbu watch --keep-owner`.
keep = ""

[keys]
# How a new repository's password is stretched: "argon2id" or "pbkdf2".
kdf = "argon2id"

[pigeon]
# Repository URLs that every snapshot is pushed to. Not in this version: what stands here is warned about, and nothing is copied.
push = []
)";
}

}  // namespace mbu::config
