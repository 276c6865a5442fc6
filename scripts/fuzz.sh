#!/usr/bin/env bash
# Random and mutated requests to the gateway's front, broken and hostile answers to its back, judged by parsers of their
# own: one request in is one request out. Prints the seed; a finding names the case that shows it again.
#
#   make fuzz                                   # ten minutes, from a seed that nobody chose
#   make fuzz FUZZ_SECONDS=3600 SEED=7          # an hour, from this one
#   MICROSTAX_FUZZ_CASE=clients:42 make fuzz    # one case, with everything that was said in it
#
# With FUZZ_OF=blueprints (`make fuzz-blueprints`): Blueprints and Compose files, read, checked, composed, imported, formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/system-packages.sh build test
step "Swift packages" scripts/swift-packages.sh
step "build" swift build --build-tests
if [ "${FUZZ_OF:-}" = blueprints ]; then
    tests='^BlueprintsTests\.BlueprintFuzzTests'
    again=oneCaseAgain long=whateverIsReadIsAnsweredSoon
else
    tests='^GatewayTests\.FuzzTests'
    again=oneCaseAgain long=oneRequestInIsOneRequestOut
fi
if [ -n "${MICROSTAX_FUZZ_CASE:-}" ]; then
    exec swift test --skip-build --filter "$tests/$again"
fi
export MICROSTAX_FUZZ_SECONDS=${FUZZ_SECONDS:-600}
export MICROSTAX_FUZZ_SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
say "$MICROSTAX_FUZZ_SECONDS seconds from seed $MICROSTAX_FUZZ_SEED"
exec swift test --skip-build --filter "$tests/$long"
