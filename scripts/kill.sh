#!/usr/bin/env bash
# Kills the real program with SIGKILL: the server, the supervisors and the gateway at every checkpoint of the shop's create,
# update and delete, the store in the middle of its commits, and 24 services at random under load. Ends everything that it
# started; a table at the end; fails where anything did not converge, was lost, doubled unseen, or left behind.
#
#   make kill                                  # every checkpoint, then ten minutes of load
#   make kill KILLS=20 LOAD_SECONDS=20         # a few, to try it
#   make kill SEED=7                           # the same order and moments again
#   make kill LOAD_SECONDS=0                   # without the load; KILLS=0 without the checkpoints
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/system-packages.sh build test
step "Swift packages" scripts/swift-packages.sh
step "build" swift build --product microstax
unset MICROSTAX_API_URL MICROSTAX_API_KEY
# What others build meanwhile must not change the program that is killed.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$(swift build --show-bin-path)/microstax" "$place/"
MICROSTAX="$place/microstax" /usr/bin/python3 -B kill/run.py
