#!/usr/bin/env bash
# Installs the built binary, the units for systemd and the page for the operator.
#   PREFIX   where the program goes (default /usr/local)
#   DESTDIR  put before every path, for building packages
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
destination=${DESTDIR:-}
binary=${BINARY:-.build/release/microstax}
if [ ! -x "$binary" ]; then
    echo "error: $binary is not there" >&2
    echo "hint: make build" >&2
    exit 1
fi
# systemd reads units of local programs from /etc and below the usual prefixes.
case $prefix in
/usr) units=/usr/lib/systemd/system userUnits=/usr/lib/systemd/user sysusers=/usr/lib/sysusers.d ;;
*) units=/etc/systemd/system userUnits=/etc/systemd/user sysusers=/etc/sysusers.d ;;
esac

install -D -m 0755 "$binary" "$destination$prefix/bin/microstax"
install -D -m 0644 docs/operating.md "$destination$prefix/share/doc/microstax/operating.md"
install -D -m 0644 packaging/systemd/microstax.sysusers.conf "$destination$sysusers/microstax.conf"
unit() {
    install -d "$(dirname "$2")"
    sed "s|/usr/local/|$prefix/|g" "$1" >"$2.new"
    chmod 0644 "$2.new"
    mv "$2.new" "$2"
}
unit packaging/systemd/microstax.service "$destination$units/microstax.service"
unit packaging/systemd/user/microstax.service "$destination$userUnits/microstax.service"

echo "installed $prefix/bin/microstax; next:"
echo "  systemd-sysusers && systemctl daemon-reload && systemctl enable --now microstax"
echo "or, for one user:"
echo "  systemctl --user daemon-reload && systemctl --user enable --now microstax"
