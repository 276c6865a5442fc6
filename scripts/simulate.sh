#!/usr/bin/env bash
# Random histories of the whole engine with faults at every write and call, and crashes between any two writes.
#
#   make simulate                                    # 12,000 runs
#   MICROSTAX_SIMULATE_RUNS=100000 make simulate     # more
#   MICROSTAX_SIMULATE_BASE=$RANDOM make simulate    # others
#   MICROSTAX_SIMULATE_SEED=42 make simulate         # one, with everything that happens in it
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/system-packages.sh build
step "Swift packages" scripts/swift-packages.sh
step "release build" swift build -c release --product simulation
program="$(swift build -c release --show-bin-path)/simulation"
[ -z "${MICROSTAX_SIMULATE_SEED:-}" ] || exec "$program"

runs=${MICROSTAX_SIMULATE_RUNS:-12000}
base=${MICROSTAX_SIMULATE_BASE:-1}
workers=$(nproc)
share=$(((runs + workers - 1) / workers))
pids=() status=0
for ((worker = 0; worker < workers; worker++)); do
    "$program" $((base + worker * share)) "$share" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
exit "$status"
