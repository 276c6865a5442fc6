# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, never run.

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $1"; [ $# -gt 1 ] && say "hint: $2"; exit 1; }

# Runs a command as root: as it is when we are root, else through sudo, which may ask for the password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; return; fi
    command -v sudo >/dev/null 2>&1 || die "this needs root: $*" "run it as root once, then run this command again"
    say "asking for root: $*"
    sudo "$@"
}

# The content-addressed cache outside the checkout; an empty one works.
deps_cache() { printf '%s' "${MICROSTAX_DEPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/microstax/packages}"; }

# Where the demo keeps its state, apart from the state of anybody's own work. Root's is under /var/lib, because the demo's
# PostgreSQL then runs as another user, who cannot enter /root.
demo_home() {
    local usual=${XDG_STATE_HOME:-$HOME/.local/state}
    [ "$(id -u)" = 0 ] && usual=/var/lib
    printf '%s' "${MICROSTAX_DEMO_HOME:-$usual/microstax-demo}"
}

# Runs a command with its output kept aside: one line with the seconds that it took, all of the output where it fails.
step() { # title command...
    local title=$1 began=$SECONDS status=0 log ticker
    shift
    log=$(mktemp)
    tick "$title" "$log" &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ "$status" = 0 ]; then
        say "$title: done in $((SECONDS - began)) s"
    else
        cat "$log" >&2
        say "$title: failed after $((SECONDS - began)) s, with status $status"
    fi
    rm -f "$log"
    return "$status"
}

# What `step` shows meanwhile: on a terminal a line that counts, elsewhere a line now and then.
tick() { # title log
    local seconds=0 place
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        seconds=$((seconds + 1))
        place=$(grep -o '^\[[0-9]*/[0-9]*\]' "$2" 2>/dev/null | tail -n 1) || place=
        if [ -t 2 ]; then
            printf '\r\033[K%s … %s %d s' "$1" "$place" "$seconds" >&2
        elif [ $((seconds % 30)) = 0 ]; then
            say "$1 … $place $seconds s"
        fi
    done
}
