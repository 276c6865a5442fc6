#!/usr/bin/env bash
# Installs Debian packages by group, only those that are missing, and asks for root only then.
#   scripts/system-packages.sh build demo
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

packages_of() {
    case "$1" in
        build) echo "git make gcc g++ libc6-dev xz-utils libnghttp2-dev pkg-config ca-certificates debian-archive-keyring dpkg-dev" ;;
        demo) echo "curl python3 python3-psycopg2 python3-redis postgresql redis-server" ;;
        test) echo "curl python3 python3-psycopg2 python3-redis python3-grpcio postgresql redis-server procps python3-jsonschema python3-yaml" ;;
        bench) echo "python3 python3-venv nginx haproxy wrk nghttp2-client nghttp2-server" ;;
        lint) echo "shellcheck" ;;
        *) die "no such package group: $1" "groups are: build demo test bench lint" ;;
    esac
}

missing=()
for group in "$@"; do
    for package in $(packages_of "$group"); do
        dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i' || missing+=("$package")
    done
done
command -v swift >/dev/null 2>&1 || die "no Swift toolchain on PATH" "install Swift 6 (https://www.swift.org/install/linux/) and try again"
[ ${#missing[@]} -eq 0 ] && exit 0

say "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Debian starts a server on its well-known port as soon as its package is installed. We only want the programs, so a
# policy that forbids it stands for as long as the installation takes (policy-rc.d(8)).
# shellcheck disable=SC2016  # for the shell that runs it
install_quietly='set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf "#!/bin/sh\nexit 101\n" > "$policy"; chmod 755 "$policy"
    trap "rm -f $policy" EXIT
fi
mkdir -p /etc/postgresql-common
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"'
if ! as_root sh -c "$install_quietly" install "${missing[@]}" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install: ${missing[*]}"
fi
