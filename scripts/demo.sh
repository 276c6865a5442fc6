#!/usr/bin/env bash
# The product's main job on real programs, from nothing: set-up, a baseline, an overlay that changes one service, and
# requests that differ only where that service answers. Every command is printed as typed, with its true output.
#
#   make demo          # or scripts/demo.sh; can be run again
#   make demo-down     # removes it
#
# MICROSTAX_DEMO_HOME is the folder that the demo's server keeps its state in.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/system-packages.sh build demo
step "Swift packages" scripts/swift-packages.sh
step "release build" swift build -c release --product microstax
PATH="$(swift build -c release --show-bin-path):$PATH"
MICROSTAX_HOME=$(demo_home)
export PATH MICROSTAX_HOME
unset MICROSTAX_API_URL MICROSTAX_API_KEY

if [ -t 1 ]; then bold=$'\033[1;36m' plain=$'\033[0m'; else bold='' plain=''; fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'say "interrupted; what was started goes on: \`make demo\` starts anew, \`make demo-down\` removes it"; exit 130' INT

tell() { printf '\n%s\n' "$1"; }
fail() { die "the demo's step \"$step\" went wrong: $1" "look: MICROSTAX_HOME=$MICROSTAX_HOME .build/release/microstax env list"; }
typed() { printf '%s$ %s%s\n' "$bold" "$1" "$plain"; }
run() { typed "$1"; eval "$1" || fail "the command ended with status $?"; }
keep() { typed "$1"; eval "$1" | tee "$output" || fail "the command ended with status $?"; }
says() { grep -q -- "$1" "$output" || fail "the output has no \"$1\""; }
field() { /usr/bin/python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$1"; }
exists() { microstax env get "$1" >/dev/null 2>&1; }
# Whoever removes the demo knows by these what belongs to it.
remember() { microstax env get "$1" --quiet >>"$MICROSTAX_HOME/.demo"; }

step="clean start"
mkdir -p "$MICROSTAX_HOME/environments"
# Others may pass, not look: PostgreSQL's user must reach its own folder.
chmod 711 "$MICROSTAX_HOME" "$MICROSTAX_HOME/environments"
touch "$MICROSTAX_HOME/.demo"
typed "export MICROSTAX_HOME=$MICROSTAX_HOME PATH=$(dirname "$(command -v microstax)"):\$PATH"
if exists feat-refunds; then run "microstax overlay delete feat-refunds"; fi
if exists shop; then run "microstax baseline delete shop"; fi

step="baseline"
tell "A baseline: the whole shop, with a real PostgreSQL and a real Redis."
run "microstax baseline create --file examples/shop/baseline.yaml --wait"
remember shop
url=$(microstax env get shop -o json | field 'd["endpoints"][0]["url"]')
page="${url%/}/checkout?order=1"

step="overlay"
tell "An overlay: it changes payments, runs only that, and inherits the other six."
run "microstax overlay create --baseline shop --file examples/shop/overlay.yaml --wait"
remember feat-refunds

step="request without context"
tell "A request through the storefront is answered by the baseline, down to the databases."
keep "curl -s '$page'"
before=$(cat "$output")
[ "$(field 'd["payments"]["version"]' <<<"$before")" = v1 ] || fail "the baseline's payments is not v1"
[ "$(field 'd["order"]["customer"]' <<<"$before")" = Ada ] || fail "the order did not come from PostgreSQL"
[ "$(field 'd["cart"]["items"]["coffee beans"]' <<<"$before")" = 2 ] || fail "the cart did not come from Redis"

step="request with context"
tell "The same request with the overlay's name differs where payments answers, two hops further, and nowhere else."
keep "curl -s -H 'x-msx-env: feat-refunds' '$page'"
after=$(cat "$output")
[ "$(field 'd["payments"]["version"]' <<<"$after")" = v2 ] || fail "the overlay's payments is not v2"
[ "$(field '{**d, "payments": 0}' <<<"$before")" = "$(field '{**d, "payments": 0}' <<<"$after")" ] ||
    fail "the answers differ in more than payments"
typed "diff <(curl -s '$page') <(curl -s -H 'x-msx-env: feat-refunds' '$page')"
diff <(curl -s "$page") <(curl -s -H 'x-msx-env: feat-refunds' "$page") | tee "$output" || true
[ "$(grep -c '^[<>]' "$output")" = 2 ] || fail "the answers do not differ in exactly one line"

step="the overlay's own URL"
tell "The overlay has a URL of its own, for those who cannot send a header."
own=$(microstax env get feat-refunds -o json | field 'd["endpoints"][0]["url"]')
keep "curl -s '${own%/}/checkout?order=1'"
[ "$(cat "$output")" = "$after" ] || fail "the overlay's URL answers otherwise than its header"

step="provider"
tell "Every answer names the copy that gave it: here the storefront, which the overlay inherits."
keep "curl -s -o /dev/null -D - -H 'x-msx-env: feat-refunds' '$page'"
says "^x-msx-provider: storefront@shop#r"

step="unknown overlay"
tell "An overlay that does not exist is refused, never answered by the baseline in silence."
keep "curl -s -i -H 'x-msx-env: feat-refund' '$page'"
says "^HTTP/1.1 404"
says "^x-msx-error: unknown_environment"

step="explain"
tell "Who answers for payments, and why:"
keep "microstax env explain feat-refunds --service payments"
says "^payments is answered by feat-refunds#r"

step="list"
keep "microstax env list"
says "^shop .*running"
says "^feat-refunds .*running"

tell "The demo did what it says. It goes on running: try the commands above. \`make demo-down\` removes it."
