#!/usr/bin/env bash
# Tries the package for Debian as an operator does: a fresh Debian with a real systemd, without a network, and only the
# package in it. Install, invite, join, talk, restart, reload, crash, hang, upgrade, back up, remove, purge, restore; each step is checked.
#
#   scripts/package-test.sh             makes the package of target/debug/parlour first
#   scripts/package-test.sh FILE.deb    tests this one
#
# Needs root, and from Debian mmdebstrap and systemd-container, which it installs. Debian's packages come from where this
# machine's apt has them. The folder of the new system is made in $TMPDIR and removed at the end; KEEP=1 leaves it, and
# BASE=folder takes a copy of such a new system. The exit code is 3 where a new system cannot be made or started. CI does
# not run this: two to four minutes are more than it has.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'package-test: %s\n' "$*" >&2; exit 1; }
cannot() { printf 'package-test: %s\n' "$*" >&2; exit 3; }
step() { printf '\n== %s\n' "$*"; }

[ "$(id -u)" -eq 0 ] || cannot "making a system needs root"
missing=()
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
if [ ${#missing[@]} -gt 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        cannot "${missing[*]} cannot be installed"
fi

work=$(mktemp -d)
root=$work/root
leader=
clean_up() {
    local status=$?
    if [ "$status" -ne 0 ] && [ -n "${booted:-}" ]; then in_ journalctl --no-pager --lines 60 --unit parlour || true; fi
    if [ -n "$leader" ]; then
        kill -KILL "$leader" 2>/dev/null || true
        wait "$nspawn" 2>/dev/null || true
    fi
    if [ -z "${KEEP:-}" ]; then rm -rf --one-file-system "$work"; else echo "kept: $work"; fi
}
trap clean_up EXIT

deb=${1:-}
if [ -z "$deb" ]; then
    step "the package"
    folder=$(OUT=$work/packages FAST=1 PARLOUR=${PARLOUR:-${CARGO_TARGET_DIR:-target}/debug/parlour} scripts/release.sh deb)
    deb=$(echo "$folder"/parlour_*.deb)
fi

step "a fresh Debian"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^Debian $suite //p" | head -n 1)
[ -n "$mirror" ] || cannot "apt knows no Debian $suite: apt-get update"
if [ -n "${BASE:-}" ]; then
    cp -a "$BASE" "$root"
else
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus "$suite" "$root" "$mirror" ||
        cannot "no new system can be made"
fi
mkdir "$root/srv/test"
cp "$deb" "$root/srv/test/parlour.deb"

step "its systemd"
# Without a network: nothing but the package itself can get into the new system.
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --register=no --keep-unit --private-network --directory "$root" \
    --boot >"$work/boot.log" 2>&1 </dev/null &
nspawn=$!
for _ in $(seq 300); do
    leader=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null | tr -d ' ')
    [ -n "$leader" ] && [ "$(cat "/proc/$leader/comm")" = systemd ] && break
    kill -0 "$nspawn" 2>/dev/null || { cat "$work/boot.log"; cannot "the new system does not start"; }
    sleep 0.1
done
# in_ COMMAND…: runs it in the new system, as root, in /srv/test.
in_() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd=/ -- \
        env -i --chdir=/srv/test PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv/test LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
# as NAME ARGUMENT…: parlour with a user configuration of that name's own.
as() { local name=$1; shift; in_ env "HOME=/srv/test/$name" PARLOUR_DISCOVERY=off parlour "$@"; }
# awaits SECONDS COMMAND…: runs it until it succeeds.
awaits() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "did not come: $*"
        sleep 0.1
    done
}
# is WHAT EXPECTED ACTUAL
is() {
    [ "$2" = "$3" ] || fail "$1: $3 instead of $2"
    echo "$1: $3"
}
property() { in_ systemctl show --value --property "$1" "${2:-parlour.service}"; }
awaits 60 in_ test -S /run/dbus/system_bus_socket
booted=1
state=$(in_ systemctl is-system-running --wait || true)
echo "the system is $state"

step "install"
in_ dpkg --install parlour.deb
is "the service" active "$(property ActiveState)"
is "its type" notify "$(property Type)"
is "at the next boot" "enabled enabled" "$(in_ systemctl is-enabled parlour.service parlour.socket | xargs)"
is "the socket" active "$(property ActiveState parlour.socket)"
is "its user" parlour "$(in_ stat -c %U "/proc/$(property MainPID)")"
is "its folder" "700 parlour parlour" "$(in_ stat -c '%a %U %G' /var/lib/parlour)"
is "its rights" 0000000000000000 "$(in_ sed -n 's/^CapEff:\t//p' "/proc/$(property MainPID)/status")"
is "its status" "Listening on [::]:6697" "$(property StatusText)"
in_ systemd-analyze security --no-pager parlour.service | tail -n 1
in_ journalctl --unit parlour --no-pager | grep -q 'invite create --role admin' || fail "the log does not say how to go on"
if in_ journalctl --no-pager | grep -q 'parlour://'; then fail "an invite is in the log"; fi
in_ test -s /usr/share/man/man1/parlour-serve.1.gz
in_ bash -c 'source /usr/share/bash-completion/completions/parlour && complete -p parlour'

step "invite, join, talk"
link=$(in_ parlour invite create --role admin | tail -n 1)
as alice join "$link" --name alice --password-stdin <<<"alice has a password"
link=$(in_ parlour invite create | tail -n 1)
as bob join "$link" --name bob --password-stdin <<<"bob has a password"
as alice send '#lobby' 'hello bob'
as bob send '#lobby' 'hello alice'
talk() { as alice history '#lobby' --json | grep -o '"text":"[^"]*"' | grep hello | xargs; }
is "the history" "text:hello bob text:hello alice" "$(talk)"

step "the folder of the server is found from anywhere"
in_ parlour user list
in_ sh -c 'cd / && parlour certs show' | grep -i pin
in_ parlour doctor || [ $? -eq 1 ] || fail "doctor finds problems"

step "nobody is refused while it restarts and is upgraded"
connect='while [ ! -e /srv/test/stop ]; do
    (exec 3<>/dev/tcp/127.0.0.1/6697) 2>/dev/null || echo refused
    echo tried
done'
in_ rm -f /srv/test/stop
in_ bash -c "$connect" >"$work/connections" &
connections=$!
before=$(property MainPID)
in_ systemctl restart parlour.service
[ "$before" != "$(property MainPID)" ] || fail "it has not restarted"
before=$(property MainPID)
in_ dpkg --install parlour.deb >/dev/null
taken_over() { [ "$before" != "$(property MainPID)" ] && [ "$(property ActiveState)" = active ]; }
awaits 60 taken_over
in_ sh -c 'journalctl --unit parlour --no-pager | grep "has taken over"'
is "restarts by systemd" 0 "$(property NRestarts)"
in_ touch /srv/test/stop
wait "$connections"
grep -q tried "$work/connections" || fail "nobody tried"
if grep -q refused "$work/connections"; then fail "connections were refused"; fi
echo "$(grep -c tried "$work/connections") connections, none refused, over a restart and an upgrade"
is "the history" "text:hello bob text:hello alice" "$(talk)"

step "reload"
in_ sed -i 's/^#motd = .*/motd = "read again"/' /etc/parlour/parlour.toml
in_ systemctl reload parlour.service
awaits 20 in_ sh -c 'journalctl --unit parlour --no-pager | grep -q "were read again"'
is "the service" active "$(property ActiveState)"
in_ sed -i 's/^motd = .*/motto = 1/' /etc/parlour/parlour.toml
in_ systemctl reload parlour.service
awaits 20 in_ sh -c 'systemctl show --property StatusText parlour | grep -q "changed nothing.*motto"'
in_ sed -i 's/^motto = .*/motd = "read again"/' /etc/parlour/parlour.toml

step "a crash and a hang"
restarted() { [ "$(property NRestarts)" = "$1" ] && [ "$(property ActiveState)" = active ]; }
in_ sh -c "kill -KILL $(property MainPID)"
awaits 30 restarted 1
in_ mkdir -p /run/systemd/system/parlour.service.d
in_ sh -c 'printf "[Service]\nWatchdogSec=2\n" >/run/systemd/system/parlour.service.d/test.conf'
in_ systemctl daemon-reload
in_ systemctl restart parlour.service
in_ sh -c "kill -STOP $(property MainPID)"
# systemd ends what does not answer by SIGABRT, which a stopped process gets with SIGKILL only.
awaits 150 restarted 1
in_ journalctl --unit parlour --no-pager | grep -i watchdog | tail -n 1
is "the history" "text:hello bob text:hello alice" "$(talk)"

step "a second server says how to stop the first"
second=$(in_ runuser -u parlour -- parlour serve --home /var/lib/parlour 2>&1) && fail "a second server runs"
case "$second" in
    *'to stop that: systemctl stop parlour.socket parlour.service') echo "$second" ;;
    *) fail "$second" ;;
esac

step "another port, and no socket unit"
in_ systemctl stop parlour.service
in_ mkdir -p /etc/systemd/system/parlour.socket.d
in_ sh -c 'printf "[Socket]\nListenStream=\nListenStream=7000\n" >/etc/systemd/system/parlour.socket.d/port.conf'
in_ systemctl daemon-reload
in_ systemctl restart parlour.socket
if in_ systemctl start parlour.service 2>/dev/null; then fail "it starts with a socket that it is not configured for"; fi
in_ journalctl --unit parlour --no-pager | grep -o -m1 'the service manager passed.*'
in_ sed -i 's/^#listen = \["0.*/listen = ["0.0.0.0:7000", "[::]:7000"]/' /etc/parlour/parlour.toml
in_ systemctl restart parlour.service
is "its status" "Listening on [::]:7000" "$(property StatusText)"
in_ systemctl stop parlour.socket parlour.service
in_ rm -r /etc/systemd/system/parlour.socket.d
in_ sed -i 's/^listen = \["0.*/#listen = ["0.0.0.0:6697", "[::]:6697"]/' /etc/parlour/parlour.toml
in_ systemctl daemon-reload
in_ systemctl mask parlour.socket 2>/dev/null
in_ systemctl start parlour.service
is "its status" "Listening on 0.0.0.0:6697, [::]:6697" "$(property StatusText)"
in_ systemctl stop parlour.service
in_ systemctl unmask parlour.socket 2>/dev/null
in_ systemctl start parlour.service
is "its status" "Listening on [::]:6697" "$(property StatusText)"

step "what root does with and without a server is for the server too"
in_ parlour certs renew
in_ systemctl stop parlour.socket parlour.service
in_ parlour user list
in_ parlour invite create >/dev/null
in_ parlour certs renew
is "the owners in its folder" parlour "$(in_ find /var/lib/parlour -printf '%u\n' | sort -u | xargs)"
in_ systemctl start parlour.service
is "the service" active "$(property ActiveState)"
is "the history" "text:hello bob text:hello alice" "$(talk)"

step "backup"
in_ sh -c 'echo a passphrase for the test >passphrase && chmod 600 passphrase'
in_ parlour backup --passphrase-file passphrase running.backup
in_ systemctl stop parlour.service parlour.socket
in_ parlour backup --passphrase-file passphrase stopped.backup
in_ parlour verify --passphrase-file passphrase running.backup
is "the owners in its folder" parlour "$(in_ find /var/lib/parlour -printf '%u\n' | sort -u | xargs)"
in_ systemctl start parlour.socket parlour.service
if in_ parlour restore --passphrase-file passphrase running.backup --home /var/lib/parlour; then fail "it overwrites"; fi

step "remove"
pin=$(in_ parlour certs show | grep -i -m1 pin)
in_ dpkg --remove parlour
is "the service" inactive "$(property ActiveState)"
in_ test -s /etc/parlour/parlour.toml
in_ test -s /var/lib/parlour/data/parlour.db
in_ dpkg --install parlour.deb >/dev/null
is "the history after it was installed again" "text:hello bob text:hello alice" "$(talk)"
is "the pin" "$pin" "$(in_ parlour certs show | grep -i -m1 pin)"

step "purge"
in_ dpkg --purge parlour
if in_ test -e /etc/parlour; then fail "the configuration is still there"; fi
in_ test -s /var/lib/parlour/data/parlour.db
in_ dpkg --install parlour.deb >/dev/null
is "the history after it was installed again" "text:hello bob text:hello alice" "$(talk)"
in_ sh -c 'echo parlour parlour/purge-data boolean true | debconf-set-selections'
in_ dpkg --purge parlour
if in_ test -e /var/lib/parlour; then fail "the data are still there"; fi
is "what is left" "" "$(in_ find / -xdev -name '*parlour*' -not -path '/srv/*' -not -path '/proc/*' -not -path '/var/log/*' | xargs)"

step "restore after the purge"
in_ dpkg --install parlour.deb >/dev/null
in_ systemctl stop parlour.socket parlour.service
in_ rm -r /var/lib/parlour/data /var/lib/parlour/certs
in_ parlour restore --passphrase-file passphrase running.backup --home /var/lib/parlour
is "the owners in its folder" parlour "$(in_ find /var/lib/parlour -printf '%u\n' | sort -u | xargs)"
in_ systemctl start parlour.socket parlour.service
is "the pin" "$pin" "$(in_ parlour certs show | grep -i -m1 pin)"
is "the history" "text:hello bob text:hello alice" "$(talk)"
in_ parlour restore --passphrase-file passphrase stopped.backup --home /srv/test/elsewhere
is "the pin elsewhere" "$pin" "$(in_ parlour certs show --home /srv/test/elsewhere | grep -i -m1 pin)"

step "all is well"
