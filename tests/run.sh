# The steps of ./test. Sourced by it, after cmake/launch.sh.

# What parses and what touches files: for the address sanitizer.
memory='^unit_|^cli_(roundtrip|restore|damage|listing|reader|watch)$'
# What runs threads: for the thread sanitizer.
threads='^unit_(base|cache|ingest|repo|ops_browse|ops_restore|ops_watch)$|^cli_(roundtrip|watch)$'
threads_targets='mbu test_base test_cache test_ingest test_repo test_ops_browse test_ops_restore test_ops_watch'
# What a fuzz target gets: at least, and at most. MBU_FUZZ_SECONDS sets another end.
fuzz_seconds_least=5
fuzz_seconds_most=${MBU_FUZZ_SECONDS:-30}

failed_steps='' left_out=''

# What a sanitizer finds must not pass for one of mbu's own exit codes. mbu lets nobody trace it, which the leak check needs;
# unit tests have it (tests/CMakeLists.txt).
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 TSAN_OPTIONS=exitcode=99:halt_on_error=1

prepare() { # EVERYTHING
  log=$root/build/install.log
  : >"$log"
  if [ "$1" = yes ]; then set -- $all_packages; else set --; fi
  install_optional_packages
  install_packages "building and testing mbu" $build_packages $test_packages "$@"
}

seconds_spent() { echo $(($(date +%s) - started)); }

# True if a step that takes about so many seconds still fits.
within_budget() { # SECONDS STEP
  [ -n "${MBU_TEST_BUDGET_SECONDS-}" ] || return 0
  [ $(($(seconds_spent) + $1)) -le "$MBU_TEST_BUDGET_SECONDS" ] && return 0
  left_out="$left_out $2"
  return 1
}

# The sanitizers' shadow memory collides with the many random bits that newer kernels put into addresses.
fixed_addresses() { # COMMAND…
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

# Builds a preset (the targets named, or all) and runs its tests.
verify() { # PRESET LABEL TARGETS CTEST-ARGUMENT…
  preset=$1 label=$2 targets=$3
  shift 3
  log=$root/build/$preset.log
  : >"$log"
  if ! open_build_folder "$preset" || ! one_at_a_time build_preset "$label" "$preset" $targets; then
    failed_steps="$failed_steps $preset(build)"
    return
  fi
  say "running the tests of build/$preset ($(seconds_spent) s so far)"
  fixed_addresses ctest --test-dir "$root/build/$preset" -j2 --output-on-failure --no-tests=error "$@" </dev/null ||
    failed_steps="$failed_steps $preset"
  list_skipped "$root/build/$preset/Testing/Temporary/LastTest.log" "$preset"
}

# Whatever skipped itself, with its reason: GoogleTest prints the reason before the name, Python's unittest behind it.
list_skipped() { # LOG PRESET
  [ -r "$1" ] || return 0
  awk -v preset="$2" '
    /: Skipped$/                     { reason = ""; reading = 1; next }
    /^\[  SKIPPED \] .*\(.*ms\)$/    { print "skipped (" preset "): " $4 ": " (reason == "" ? "no reason given" : reason)
                                       reading = 0; reason = ""; next }
    reading && NF                    { reason = reason (reason == "" ? "" : " ") $0 }
    / \.\.\. skipped /               { line = $0; if (line !~ /^[A-Za-z_0-9]+ \(/) line = before ": " line
                                       sub(/ \.\.\. skipped /, ": ", line); print "skipped (" preset "): " line }
                                     { before = $0 }' "$1" >>"$skipped"
}

fuzz() {
  log=$root/build/fuzz.log
  : >"$log"
  if ! ls "$root"/fuzz/*_fuzz.cpp >/dev/null 2>&1; then
    left_out="$left_out fuzz(no-targets)"
    return
  fi
  if ! open_build_folder fuzz || ! one_at_a_time build_preset "building the fuzz targets" fuzz fuzz_targets; then
    failed_steps="$failed_steps fuzz(build)"
    return
  fi
  # Two run at a time; each gets an equal share of what is left.
  targets=$(cd "$root/build/fuzz" && ls -d fuzz_* | grep -v '\.')
  count=$(echo "$targets" | wc -l)
  each=$fuzz_seconds_most
  if [ -n "${MBU_TEST_BUDGET_SECONDS-}" ]; then
    each=$(((MBU_TEST_BUDGET_SECONDS - $(seconds_spent) - 30) / ((count + 1) / 2)))
  fi
  [ "$each" -le "$fuzz_seconds_most" ] || each=$fuzz_seconds_most
  [ "$each" -ge "$fuzz_seconds_least" ] || each=$fuzz_seconds_least
  say "fuzzing $count targets, $each seconds each"
  # A target's findings and corpus stay in build/fuzz/<target>.found and .corpus; fuzz/corpus/<target> seeds it.
  echo "$targets" | xargs -P 2 -I {} sh "$root/tests/fuzz_one.sh" "$root" {} "$each" || failed_steps="$failed_steps fuzz"
}

summarize() {
  if [ -s "$skipped" ]; then
    echo
    sort -u "$skipped"
  fi
  [ -z "$left_out" ] || echo "left out:$left_out"
  if [ -n "$failed_steps" ]; then
    echo "failed:$failed_steps"
    exit 1
  fi
}
