#!/usr/bin/env bash
# Set-up, then every test of the fast tier; says how long each part took, and closes with the count.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

part() { # title command...
    local title=$1 began=$SECONDS status=0
    shift
    say "== $title"
    "$@" || status=$?
    say "== $title: $((SECONDS - began)) s"
    return "$status"
}

part "system packages" scripts/system-packages.sh build test
part "Swift packages" scripts/swift-packages.sh
part "build" swift build --build-tests

log=$(mktemp)
faults=$(mktemp) # what went wrong, said again at the end, where a reader of long logs looks first
trap 'rm -f "$log" "$faults"' EXIT
passed=0 failed=0 status=0

# One module after the other: within a module tests run side by side, and a small machine has two cores.
# shellcheck disable=SC2317  # called by `part`
run_module() { swift test --skip-build --filter "^$1\\." 2>&1 | tee "$log"; }

# A count that any reader of logs understands, also where a crash kept Swift Testing from closing with its own.
count() { grep -aE "^$1 Test .* $2" "$log" | grep -acvE '^[^ ]+ Test run with [0-9]' || true; }

for folder in Tests/*Tests; do
    module=$(basename "$folder")
    code=0
    part "$module" run_module "$module" || code=$?
    passed=$((passed + $(count ✔ 'passed after [0-9.]+ seconds')))
    broken=$(count ✘ 'failed after [0-9.]+ seconds')
    { grep -aE -A12 '^✘ Test ' "$log" | grep -avE '^(✔|◇|--)' | head -60 || true; } >>"$faults"
    if ! grep -aqE 'Test run with [1-9][0-9]* tests? ' "$log"; then
        say "error: the tests of $module did not come to their end; the output above says where they stopped"
        [ "$code" != 0 ] || code=1
    fi
    [ "$code" = 0 ] || [ "$broken" -gt 0 ] || broken=1 # something outside of a test, or a crash
    failed=$((failed + broken))
    [ "$code" = 0 ] || status=1
done
[ "$((passed + failed))" -gt 0 ] || die "no test was run"
[ "$failed" = 0 ] || cat "$faults"
echo "$passed passed, $failed failed"
exit "$status"
