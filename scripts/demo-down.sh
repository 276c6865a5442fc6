#!/usr/bin/env bash
# Removes everything that the demo left running, and proves that nothing is left.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

home=$(demo_home)
if [ ! -d "$home" ]; then
    say "there is no $home, so there is nothing to remove"
    exit 0
fi
[ -f "$home/.demo" ] || die "$home was not made by the demo" "it is left as it is; look into it and remove it yourself"
microstax=.build/release/microstax
[ -x "$microstax" ] || die "$microstax is not there, so what runs cannot be ended" "make build, then make demo-down again"
export MICROSTAX_HOME=$home
unset MICROSTAX_API_URL MICROSTAX_API_KEY

found=$(mktemp)
trap 'rm -f "$found"' EXIT
/usr/bin/python3 scripts/demo_processes.py list "$home" >"$found"

# An environment that others stand on is refused until they are gone, so this is repeated while it gets on.
environments=$("$microstax" env list --quiet)
while [ -n "$environments" ]; do
    # shellcheck disable=SC2086  # ids, one word each
    "$microstax" env delete $environments || true
    left=$("$microstax" env list --quiet)
    [ "$left" != "$environments" ] || die "these environments cannot be deleted: ${left//$'\n'/ }" "see the errors above"
    environments=$left
done
"$microstax" serve --stop

/usr/bin/python3 scripts/demo_processes.py left "$home" "$found" ||
    die "the demo is not gone; $home is kept" "end these processes, then make demo-down again"
rm -rf "$home"
[ ! -e "$home" ] || die "$home could not be removed"
say "removed: no process, no port and no file of the demo is left"
