#!/usr/bin/env bash
# The real gateway for an hour under mixed traffic, with ten tables a second and services that are killed: no wrong provider,
# no lost and no doubled request, flat memory and descriptors. Ends everything that it started.
#
#   make soak                        # an hour
#   make soak SOAK_SECONDS=60        # to try it
#   make soak SEED=7                 # the same choices again
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/system-packages.sh build bench
step "Swift packages" scripts/swift-packages.sh
step "release build" swift build -c release --product microstax
# What others build meanwhile must not change the program that is soaked.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$(swift build -c release --show-bin-path)/microstax" "$place/"
MICROSTAX="$place/microstax" /usr/bin/python3 -B soak/run.py
