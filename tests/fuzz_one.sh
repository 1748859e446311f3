#!/bin/sh
# Runs one fuzz target for a while:  tests/fuzz_one.sh ROOT TARGET SECONDS. Its output is shown only if it found something.
root=$1 target=$2 seconds=$3
folder=$root/build/fuzz
mkdir -p "$folder/$target.corpus" "$folder/$target.found"
seeds=$root/fuzz/corpus/$target
[ -d "$seeds" ] || seeds=
set -- "$folder/$target"
setarch -R true 2>/dev/null && set -- setarch -R "$@"
if "$@" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$folder/$target.found/" \
  "$folder/$target.corpus" ${seeds:+"$seeds"} >"$folder/$target.log" 2>&1 </dev/null; then
  echo "passed: $target: $(grep -o 'Done [0-9]* runs in [0-9]* second.*' "$folder/$target.log")"
else
  echo "failed: $target"
  tail -n 60 "$folder/$target.log"
  exit 1
fi
