# What ./mbu and ./test share: install what is missing, configure, build, show progress. Sourced by them; POSIX sh and -nt.
#
# Nothing here writes to standard output or reads standard input: both belong to the program that is run in the end, as
# do its arguments, which are never looked at. What apt-get, cmake and ninja say goes to a log under build/, and an error
# shows its end. The caller has set `root`, an absolute path of the checkout, and `name`, what messages begin with.

# Debian 12's names. flatc is in flatbuffers-compiler; librust-blake3-dev carries BLAKE3's C sources (Libraries.cmake).
build_packages="g++ cmake ninja-build pkg-config libsodium-dev libssl-dev libzstd-dev libsqlite3-dev libarchive-dev
  libtomlplusplus-dev libfmt-dev nlohmann-json3-dev libcli11-dev libflatbuffers-dev flatbuffers-compiler
  librust-blake3-dev libgfshare-dev libqrencode-dev libfido2-dev"
optional_packages_amd64="libipsec-mb-dev"  # makes it faster
test_packages="libgtest-dev python3 python3-cryptography python3-nacl python3-zstandard python3-flatbuffers
  acl attr strace xfsprogs e2fsprogs util-linux zbar-tools python3-cbor2"
all_packages="clang-14 libclang-rt-14-dev"

# What a first release build costs, measured: seconds of one core for compiling and linking.
first_build_core_seconds=300

# Without links and dots, as cmake notes it. Only a build needs that.
find_root() { root=$(CDPATH='' cd -P -- "$root" && pwd); }

say() { printf '%s: %s\n' "$name" "$*" >&2; }

# One line that is overwritten on a terminal.
show_progress() { # TEXT
  if [ -t 2 ]; then printf '\r\033[K%s: %s' "$name" "$1" >&2; else say "$1"; fi
}
end_progress() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

show_log_end() { # WHAT FAILED
  say "$1 failed. The end of $log:"
  tail -n 40 -- "$log" >&2
}

# The commands below neither read standard input nor inherit the program's password, nor (a service that a package
# starts might live long) the lock.
logged() { # COMMAND…
  printf '\n$ %s\n' "$*" >>"$log"
  (unset MBU_PASSWORD && exec "$@") >>"$log" 2>&1 </dev/null 9>&-
}

missing_packages() { # PACKAGE…
  installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null)"
  for package; do
    case $installed in *" installed:$package "*) ;; *) printf '%s ' "$package" ;; esac
  done
}

install_packages() { # WHY PACKAGE…
  why=$1
  shift
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "not a Debian system: what $why needs must be there already ($*)"
    return 0
  fi
  missing=$(missing_packages "$@")
  missing=${missing% }
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      say "$why needs packages that only root can install, and there is no sudo. As root, run:"
      printf '  apt-get update && apt-get install -y --no-install-recommends %s\n' "$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  say "installing with ${as_root:+sudo }apt-get what $why needs: $missing"
  apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"
  # One unreachable third-party source must not stop the rest: the installation itself decides.
  logged $apt update || say "apt-get update failed (see $log); trying with the package lists that are here"
  logged $apt install -y --no-install-recommends $missing || { show_log_end "apt-get install"; return 1; }
}

# Without them mbu is slower, so that it says so and goes on where there is nobody who could install them.
install_optional_packages() {
  [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || return 0
  install_packages "a faster mbu" $optional_packages_amd64 || say "going on without them"
}

# As many compilers as there are cores, and a GiB of memory for each.
build_jobs() {
  cores=$(nproc)
  memory_gib=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  [ "${memory_gib:-0}" -lt "$cores" ] && cores=$memory_gib
  [ "$cores" -ge 1 ] && echo "$cores" || echo 1
}

# Passes ninja's output on to the log and its [done/total] on to the user; returns ninja's status, the last line.
follow_ninja() { # LABEL
  last_tenth=-1
  while IFS= read -r line; do
    case $line in
      "ninja ended with "*) end_progress; return "${line##* }" ;;
      "["[1-9]*/[0-9]*"] "*) # [0/2] is about ninja itself
        count=${line%%]*}
        finished=${count#?}
        total=${finished#*/}
        finished=${finished%/*}
        tenth=$((finished * 10 / total))
        if [ -t 2 ] || [ "$tenth" -ne "$last_tenth" ]; then show_progress "$1 $count]"; fi
        last_tenth=$tenth
        ;;
    esac
    printf '%s\n' "$line" >>"$log"
  done
  end_progress
  return 1
}

# A folder of build/ that was configured for another checkout (a copied one) cannot be used again.
drop_copied_build() { # FOLDER
  [ -e "$1/CMakeCache.txt" ] || return 0
  grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$1/CMakeCache.txt" || rm -rf -- "$1"
}

# Configures build/PRESET and builds the targets (all of them if none is named).
build_preset() { # LABEL PRESET TARGET…
  label=$1 preset=$2
  shift 2
  drop_copied_build "$root/build/$preset"
  show_progress "$label"
  if ! (cd -- "$root" && logged cmake --preset "$preset"); then
    end_progress
    show_log_end "cmake"
    return 1
  fi
  {
    (unset MBU_PASSWORD && NINJA_STATUS='[%f/%t] ' exec ninja -C "$root/build/$preset" -j "$(build_jobs)" "$@") </dev/null
    echo "ninja ended with $?"
  } 2>&1 | follow_ninja "$label" || { show_log_end "the build"; return 1; }
}

# build/ must be ours to write: a checkout of somebody else's, or on a read-only file system, is said so.
open_build_folder() { # PRESET
  if ! mkdir -p -- "$root/build/$1" 2>/dev/null; then
    say "cannot make $root/build/$1: build as the owner of $root, or in a copy that you may write to"
    return 1
  fi
  foreign=$(find "$root/build" "$root/build/$1" -maxdepth 1 ! -type l ! -name install_manifest.txt ! -writable -print -quit)
  [ -z "$foreign" ] && return 0
  say "cannot write to $foreign (owner: $(stat -c %U -- "$foreign")):" \
    "build as the owner of $root/build, or remove that folder, or build in a copy that you may write to"
  return 1
}

# True if something under the paths is newer than $stamp. What was deleted shows in its folder's time. The shell looks
# itself: starting a `find` would cost more than all the looking.
anything_newer() { # PATH…
  for path; do
    [ "$path" -nt "$stamp" ] && return 0
    [ -d "$path" ] && anything_newer "$path"/* && return 0
  done
  return 1
}

release_is_current() {
  stamp=$root/build/release/built
  [ -e "$stamp" ] && [ -x "$root/build/release/mbu" ] &&
    ! anything_newer "$root/CMakeLists.txt" "$root/CMakePresets.json" "$root/cmake" "$root/src" "$root/include" "$root/apps"
}

build_release() {
  log=$root/build/release.log label="building"
  : >"$log"
  install_packages "building mbu" $build_packages || return 1
  install_optional_packages
  minutes=$(((first_build_core_seconds / $(build_jobs) + 59) / 60))
  [ -e "$stamp" ] || label="first build, about $minutes minute$([ "$minutes" -eq 1 ] || echo s)"
  # The stamp bears the time before the build: what is edited meanwhile is built by the next run.
  touch -- "$root/build/release.began" || return 1
  build_preset "$label" release mbu && mv -- "$root/build/release.began" "$stamp"
}

# Runs a command while no other launcher of this checkout builds. The descriptor exists in the subshell alone: the
# caller's own 9 (a --password-fd, say) stays what it was.
one_at_a_time() { # COMMAND…
  (
    if ! flock -n 9; then
      say "waiting for another build in $root to end"
      flock 9
    fi
    "$@"
  ) 9>>"$root/build/lock"
}

build_release_unless_current() { release_is_current || build_release; }

ensure_release() {
  release_is_current && return 0
  find_root && open_build_folder release && one_at_a_time build_release_unless_current
}
