#!/usr/bin/env bash
# Makes the Swift packages that Package.swift names resolvable.
#
# With GitHub in reach there is nothing to do. On a machine that reaches only Debian's archive, the packages are taken
# out of the source package `swiftlang`, made into local git repositories tagged with their versions, and SwiftPM is
# pointed at them with its own mirrors. See docs/internals/dependencies.md.
#
#   scripts/swift-packages.sh            # decide, and say what was done
#   MICROSTAX_DEPS=mirror|upstream ...   # do not ask the network
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# name | upstream URL | folder in the source package
packages='
swift-nio|https://github.com/apple/swift-nio.git|swift-nio
swift-log|https://github.com/apple/swift-log.git|swift-log
swift-argument-parser|https://github.com/apple/swift-argument-parser.git|swift-argument-parser
swift-nio-ssl|https://github.com/apple/swift-nio-ssl.git|swift-nio-ssl
swift-crypto|https://github.com/apple/swift-crypto.git|swift-crypto
swift-asn1|https://github.com/apple/swift-asn1.git|swift-asn1
swift-certificates|https://github.com/apple/swift-certificates.git|swift-certificates
swift-collections|https://github.com/apple/swift-collections.git|swift-collections
swift-atomics|https://github.com/apple/swift-atomics.git|swift-atomics
swift-system|https://github.com/apple/swift-system.git|swift-system
swift-toolchain-sqlite|https://github.com/swiftlang/swift-toolchain-sqlite.git|swift-toolchain-sqlite
Yams|https://github.com/jpsim/Yams.git|yams
'
cache=$(deps_cache)
repositories="$cache/repositories"
# Raised when what this script puts into a repository changes, so that an old cache is not mistaken for a new one.
layout=2

report() { # the versions that SwiftPM settled on
    swift package resolve >&2
    sed -n 's/.*"identity" : "\(.*\)".*/\1/p; s/.*"version" : "\(.*\)".*/\1/p' Package.resolved | paste -d' ' - - |
        sed 's/^/  resolved /' >&2
}

upstream_reachable() {
    GIT_TERMINAL_PROMPT=0 timeout 15 git ls-remote --exit-code https://github.com/apple/swift-log.git HEAD >/dev/null 2>&1
}

cache_complete() {
    local name url folder
    [ -f "$repositories/complete-$layout" ] || return 1
    while IFS='|' read -r name url folder; do
        [ -z "$name" ] || [ -d "$repositories/$name" ] || return 1
    done <<<"$packages"
}

mirrors_in_place() {
    local name url folder
    [ -f .swiftpm/configuration/mirrors.json ] && cache_complete || return 1
    while IFS='|' read -r name url folder; do
        [ -z "$name" ] || grep -q "/$name\"" .swiftpm/configuration/mirrors.json || return 1
    done <<<"$packages"
}

# ---- the private apt: the machine's own lists, cache and configuration stay as they are

prepare_apt() {
    local uri
    # shellcheck disable=SC2016  # the $(…) are apt-get's own
    uri=$(apt-get indextargets --no-release-info --format '$(REPO_URI)|$(ORIGIN)|$(SITE)' 'Created-By: Packages' 2>/dev/null |
        cut -d'|' -f1 | grep -E '/debian/?$' | sort -u | head -n 1)
    [ -n "$uri" ] || die "apt on this machine names no Debian archive" \
        "either make github.com reachable, or give apt a Debian archive in its sources"
    apt="$cache/apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/source"
    : >"$apt/status"
    : >"$apt/sources.list"
    for suite in stable testing unstable; do
        echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >>"$apt/sources.list"
    done
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "$(id -un)";
#clear APT::Update::Post-Invoke;
#clear DPkg::Post-Invoke;
CONF
    export APT_CONFIG="$apt/apt.conf"
    say "reading the archive's list of sources"
    apt-get update -qq >&2 || die "apt could not read the archive's lists"
}

# Prints the version that a package has in the source tree $1, from the branch scheme that the tree itself belongs to.
version_in() { # tree name
    local config="$1/swift/utils/update_checkout/update-checkout-config.json" scheme
    scheme="release/$(basename "$1" | sed -E 's/swiftlang-([0-9]+\.[0-9]+).*/\1/')"
    awk -v scheme="\"$scheme\": {" -v key="\"$2\":" '
        index($0, scheme) { inside = 1 }
        inside && $1 == key { gsub(/[",]/, "", $2); print $2; exit }' "$config"
}

make_repository() { # name tree folder version
    local repository="$repositories/$1"
    rm -rf "$repository"
    mv "$2/$3" "$repository"
    rm -rf "$repository/.git"
    git -C "$repository" init -q -b main
    git -C "$repository" add -A -f
    GIT_AUTHOR_NAME=mirror GIT_AUTHOR_EMAIL=mirror@localhost GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' \
        GIT_COMMITTER_NAME=mirror GIT_COMMITTER_EMAIL=mirror@localhost GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
        git -C "$repository" -c commit.gpgsign=false commit -q -m "$1 $4"
    git -C "$repository" tag "$4"
    say "  $1 $4"
}

# Takes what is still wanted out of one version of the source package.
take_from() { # debian version
    local version="$1" upstream="${1%-*}" tree tarball wanted=() name url folder
    tree="$apt/source/swiftlang-$upstream"
    say "fetching source package swiftlang $version (about 240 MB)"
    (cd "$apt/source" && apt-get source -qq --download-only --tar-only "swiftlang=$version" >&2) ||
        die "apt could not fetch the source package swiftlang $version"
    tarball=$(ls "$apt/source/swiftlang_$upstream".orig.tar.*)
    while IFS='|' read -r name url folder; do
        [ -n "$name" ] && [ ! -d "$repositories/$name" ] && wanted+=("swiftlang-$upstream/$folder")
    done <<<"$packages"
    rm -rf "$tree"  # what an interrupted run may have left
    # A folder that this version does not have is no error: an older one may have it.
    tar -C "$apt/source" --no-same-owner -xJf "$tarball" "swiftlang-$upstream/swift/utils/update_checkout" "${wanted[@]}" 2>/dev/null || true
    while IFS='|' read -r name url folder; do
        if [ -n "$name" ] && [ ! -d "$repositories/$name" ] && [ -d "$tree/$folder" ]; then
            found=$(version_in "$tree" "$folder")
            [ -n "$found" ] || die "swiftlang $version does not say which version of $folder it holds"
            make_repository "$name" "$tree" "$folder" "$found"
        fi
    done <<<"$packages"
    rm -rf "$tree" "$tarball"
}

fill_cache() {
    cache_complete && return
    # A package that is new in the list is added; what an interrupted run left is not trusted.
    [ -f "$repositories/complete-$layout" ] || rm -rf "$repositories"
    rm -f "$repositories/complete-$layout"
    mkdir -p "$repositories"
    prepare_apt
    local version name url folder
    for version in $(apt-cache showsrc swiftlang | awk '/^Version:/ { print $2 }' | sort -Vru); do
        take_from "$version"
    done
    while IFS='|' read -r name url folder; do
        [ -z "$name" ] || [ -d "$repositories/$name" ] || die "no source package in the archive holds $name"
    done <<<"$packages"
    rm -rf "$cache/apt"
    touch "$repositories/complete-$layout"
}

use_mirrors() {
    local name url folder
    while IFS='|' read -r name url folder; do
        [ -n "$name" ] || continue
        # The packages name each other with and without ".git", and some by an older owner.
        for original in "$url" "${url%.git}" "${url/swiftlang/apple}" "$(sed 's/\.git$//; s/swiftlang/apple/' <<<"$url")"; do
            swift package config set-mirror --original "$original" --mirror "file://$repositories/$name" >/dev/null
        done
    done <<<"$packages"
}

case "${MICROSTAX_DEPS:-auto}" in
    upstream) mode=upstream ;;
    mirror) mode=mirror ;;
    auto) if mirrors_in_place; then mode=ready; elif upstream_reachable; then mode=upstream; else mode=mirror; fi ;;
    *) die "MICROSTAX_DEPS is '${MICROSTAX_DEPS}'" "use mirror, upstream or auto" ;;
esac
case "$mode" in
    ready) ;;
    upstream)
        say "Swift packages: from their upstream repositories"
        rm -f .swiftpm/configuration/mirrors.json
        ;;
    mirror)
        say "Swift packages: github.com is not used; taking them from Debian's archive into $cache"
        mkdir -p "$cache"
        exec 9>"$cache/lock"
        flock 9
        fill_cache
        use_mirrors
        report
        ;;
esac
