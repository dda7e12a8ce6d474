#!/usr/bin/env bash
# Measures Parlour and others in turn, each on one processor with the load on another, and prints medians and ratios:
#
#   scripts/bench.sh                     all of it, three times; about an hour
#   scripts/bench.sh --short             a second for each scenario, once: some minutes, for a first look
#   scripts/bench.sh --check             also compares the ratios with docs/performance.md; fails if one fell by over 15 %
#   scripts/bench.sh --plots             also draws docs/deliveries.svg and docs/memory.svg
#   scripts/bench.sh --profile           the ten functions of Parlour that take most CPU in each scenario, by perf, instead
#   scripts/bench.sh --servers Parlour,ceiling --only fan-out    some servers, the scenarios whose name contains a word
#   scripts/bench.sh --runs 5 --out FILE                         more runs; keeps the results, a line of JSON each
#   scripts/bench.sh --report FILE [--check] [--plots]           tables of earlier results, without a measurement
#   PROFILE=dev scripts/bench.sh         unoptimised programs, which build faster; their ratios say nothing
#   PARLOUR=path LOAD=path scripts/bench.sh                      these programs instead of building them
#
# The others are ngIRCd and InspIRCd of Debian, unpacked into a temporary folder where they are not installed, so that no
# service starts, and the ceiling, a server of benches/load without any rules. Each runs with a configuration of its own in a
# temporary folder, with limits and DNS off, and a fresh folder for each scenario. One that cannot be had is left out, with
# the reason. Exits with 1 if a message was lost, repeated or reordered, or if Parlour or the ceiling failed a scenario.
set -euo pipefail

runs=3 short='' check='' plots='' hot='' servers=Parlour,ceiling,ngIRCd,InspIRCd only='' out='' report='' seconds=5 most=20000
fail() { printf 'bench: %s\n' "$*" >&2; exit 1; }
note() { printf 'bench: %s\n' "$*" >&2; }
while [ $# -gt 0 ]; do
    case $1 in
    --short) short=yes runs=1 seconds=1 most=2000 ;;
    --check) check=yes ;;
    --plots) plots=yes ;;
    --profile) hot=yes runs=1 servers=Parlour ;;
    --runs | --servers | --only | --out | --report)
        [ $# -gt 1 ] || fail "$1 needs a value"
        case $1 in --out | --report) value=$(realpath -m -- "$2") ;; *) value=$2 ;; esac
        printf -v "${1#--}" %s "$value"
        shift
        ;;
    *) fail "there is no $1; see the head of this script" ;;
    esac
    shift
done
[ -z "${PARLOUR:-}" ] || PARLOUR=$(realpath -- "$PARLOUR")
[ -z "${LOAD:-}" ] || LOAD=$(realpath -- "$LOAD")
if [ -n "$hot" ] && ! command -v perf >/dev/null; then fail "--profile needs perf (apt-get install linux-perf)"; fi
cd "$(dirname "$0")/.."
page=$PWD/docs/performance.md

work=$(mktemp -d "${TMPDIR:-/tmp}/parlour-bench-XXXXXX")
pid=''
# Ends the server that runs, which nothing but this script has started.
stop() {
    local waited=0
    [ -n "$pid" ] || return 0
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && [ $waited -lt 100 ]; do sleep 0.1; waited=$((waited + 1)); done
    kill -9 "$pid" 2>/dev/null || true
    pid=''
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Parlour as a release has it: built alone, since the features of what only tests and benchmarks need would change it.
profile=${PROFILE:-release}
if [ -z "${PARLOUR:-}" ] && [ -z "$report" ]; then
    note "building parlour ($profile)"
    cargo build --quiet --profile "$profile" --bin parlour
    target=$(cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)
    # The next build makes another program at this place.
    cp "$target/$([ "$profile" = dev ] && echo debug || echo "$profile")/parlour" "$work/parlour"
    PARLOUR=$work/parlour
fi
if [ -z "${LOAD:-}" ]; then
    note "building the load generator ($profile)"
    LOAD=$(cargo bench --profile "$profile" --bench load --no-run 2>&1 | tee "$work/build.log" | sed -n 's/.*Executable.*(\(.*\)).*/\1/p')
    [ -n "$LOAD" ] || { cat "$work/build.log" >&2; fail "the load generator cannot be built"; }
    LOAD=$(realpath -- "$LOAD")
fi

print_report() {
    "$LOAD" report "$1" ${check:+--check "$page"} ${plots:+--plots "$PWD/docs"}
}
if [ -n "$report" ]; then print_report "$report"; exit; fi

# One processor for the server, another one for the load, if there are two.
processors=$(nproc)
if [ "$processors" -ge 2 ]; then on_server=(taskset -c 0) on_load=(taskset -c 1); else on_server=() on_load=(); fi
ulimit -n "$(ulimit -Hn)"
# InspIRCd may crash when it is to end.
ulimit -c 0
# Each session is an open file of the server and one of the load.
files=$(($(ulimit -n) - 100))
if [ "$most" -gt "$files" ]; then
    note "at most $files sessions instead of $most, because that is the limit of open files (ulimit -Hn)"
    most=$files
fi

# ---- The servers. Each start function runs one in $folder, at $port, and sets pid.

# Debian's program of this name, installed or unpacked: debian NAME PROGRAM, sets $program.
debian() {
    local name=$1 at=$work/debian/$1
    if program=$(command -v "$name"); then return; fi
    program=$at/$2
    [ -x "$program" ] && return
    mkdir -p "$at"
    if ! command -v apt-get >/dev/null; then reason="$name is not installed, and there is no apt-get"; return 1; fi
    if ! (cd "$at" && apt-get download "$name" >download.log 2>&1 && dpkg-deb -x ./*.deb .); then
        reason="$name cannot be downloaded: $(tail -n 1 "$at/download.log")"
        return 1
    fi
    if ldd "$program" | grep -q 'not found'; then
        reason="$name misses $(ldd "$program" | awk '/not found/ { print $1 }' | tr '\n' ' ')(apt-get install --no-install-recommends $name)"
        return 1
    fi
}

# A certificate and its key of the kind that Parlour's server has, for the others.
certificate() {
    if [ ! -s "$work/key.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
            -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
    fi
}

as_home() { env HOME="$1" XDG_CONFIG_HOME="$1/config" NO_COLOR=1 PARLOUR_DISCOVERY=off RUST_LOG= "${@:2}"; }

# A folder with this many accounts, made once: passwords that cost little, because their check is a matter of the
# configuration, and no limits by which a single machine would be held up.
accounts() {
    local home=$work/accounts-$1
    if [ -d "$home" ]; then return; fi
    mkdir -p "$home"
    cat >"$home/parlour.toml" <<TOML
[passwords]
memory_kib = 8
iterations = 1
[limits]
flood = false
connections_per_address = 0
sessions_per_account = 0
send_queue_bytes = 67108864
TOML
    { echo name,password; for ((n = 0; n < $1; n++)); do echo "load$n,lanterns-over-the-harbour"; done; } >"$home/people.csv"
    (cd "$home" && as_home "$home" "$PARLOUR" user import people.csv >/dev/null 2>import.log) || fail "$(cat "$home/import.log")"
    (cd "$home" && as_home "$home" "$PARLOUR" certs generate >/dev/null 2>&1) || true
}

start_Parlour() {
    accounts "$1"
    cp -a "$work/accounts-$1/." "$folder"
    (cd "$folder" && exec "${on_server[@]}" env HOME="$folder" XDG_CONFIG_HOME="$folder/config" NO_COLOR=1 PARLOUR_DISCOVERY=off \
        "$PARLOUR" serve --listen "127.0.0.1:$port") >"$folder/log" 2>&1 &
    pid=$!
}

start_ceiling() {
    accounts 1
    "${on_server[@]}" "$LOAD" ceiling --listen "127.0.0.1:$port" --certs "$work/accounts-1/certs" >"$folder/log" 2>&1 &
    pid=$!
}

start_ngIRCd() {
    debian ngircd usr/sbin/ngircd || return 1
    certificate
    cat >"$folder/ngircd.conf" <<CONF
[Global]
Name = ngircd.load
Info = load
AdminInfo1 = load
AdminEMail = load@localhost
Listen = 127.0.0.1
Ports = $((port + 1))
PidFile = $folder/pid
ServerUID = $(id -un)
ServerGID = $(id -gn)
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 600
PongTimeout = 60
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = $work/certificate.pem
KeyFile = $work/key.pem
Ports = $port
CONF
    "${on_server[@]}" "$program" --nodaemon --config "$folder/ngircd.conf" >"$folder/log" 2>&1 &
    pid=$!
}

start_InspIRCd() {
    debian inspircd usr/sbin/inspircd || return 1
    # Of the package that has the program.
    local modules=${program%/sbin/inspircd}/lib/inspircd/modules root=()
    if [ "$(id -u)" -eq 0 ]; then root=(--runasroot); fi
    certificate
    cat >"$folder/inspircd.conf" <<CONF
<config format="xml">
<path configdir="$folder" datadir="$folder" logdir="$folder" runtimedir="$folder" moduledir="$modules">
<server name="inspircd.load" description="load" network="load" id="1LO">
<admin name="load" nick="load" email="load@localhost">
<pid file="$folder/pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="$folder/inspircd.log">
<module name="ssl_gnutls">
<module name="cap">
<module name="ircv3_ctctags">
<module name="ircv3_echomessage">
<module name="ircv3_msgid">
<module name="ircv3_servertime">
<sslprofile name="load" provider="gnutls" certfile="$work/certificate.pem" keyfile="$work/key.pem" requestclientcert="no" hash="sha256">
<bind address="127.0.0.1" port="$port" type="clients" sslprofile="load">
<connect name="load" allow="*" timeout="120" pingfreq="600" localmax="100000" globalmax="100000" maxconnwarn="no"
 limit="100000" maxchans="100" resolvehostnames="no" useident="no" hardsendq="67108864" softsendq="67108864" recvq="1048576"
 commandrate="1000000000" threshold="1000000000" fakelag="no">
<class name="none">
<type name="none" classes="none">
<dns server="127.0.0.1" timeout="1">
<performance somaxconn="4096" softlimit="100000" quietbursts="yes" netbuffersize="16384">
<limits maxnick="30">
CONF
    "${on_server[@]}" "$program" --config "$folder/inspircd.conf" --nofork "${root[@]}" >"$folder/log" 2>&1 &
    pid=$!
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Starts a server for a scenario with this many accounts, and waits until it listens.
start() { # SERVER ACCOUNTS
    local waited=0
    reason=''
    folder=$(mktemp -d "$work/$1-XXXXXX")
    port=$((20000 + RANDOM % 10000))
    while ! is_free $port || ! is_free $((port + 1)); do port=$((port + 2)); done
    "start_$1" "$2" || return 1
    # The shell is not to report how it ends.
    disown "$pid"
    while is_free "$port"; do
        if ! kill -0 "$pid" 2>/dev/null || [ $waited -gt 600 ]; then
            reason="$1 does not listen: $(tail -n 3 "$folder/log")"
            stop
            return 1
        fi
        sleep 0.1
        waited=$((waited + 1))
    done
    # Let it finish what it does at its start.
    sleep 0.5
}

# ---- The scenarios.

failed='' skipped=()
# The functions that had most samples, as a table; [k] are those of the kernel.
print_hottest() { # NAME
    printf '\n| %s | share |\n| --- | --- |\n' "$1"
    perf report -i "$work/samples" --stdio --no-children -g none --sort symbol 2>/dev/null \
        | sed -n 's/ *-  *- *$//; s/^ *\([0-9.]*\)% *\(\[.\]\) \(.*[^ ]\) *$/| `\2 \3` | \1 % |/p' | sed 's/^| `\[\.\] /| `/' | sed -n 1,10p
}

# measure SERVER NAME SCENARIO ACCOUNTS PROOF [OPTION…]: one scenario against a fresh server. PROOF is that of servers with
# accounts; where it is one that others do not have at all, they are left out.
measure() {
    local server=$1 name=$2 scenario=$3 accounts=$4 proof=$5 concurrency=50 status=0
    shift 5
    [[ $name == *"$only"* ]] || return 0
    case " ${skipped[*]-} " in *" $server "*) return 0 ;; esac
    [ "$scenario" != herd ] || concurrency=500
    case $server in
    # It listens with a backlog of ten.
    ngIRCd) concurrency=10 ;;
    # It completes logins once a second.
    InspIRCd) concurrency=500 ;;
    esac
    case $server:$scenario:$proof in
    Parlour:* | ceiling:*) ;;
    *:login:device | *:login:resumed) return 0 ;;
    *) proof=none ;;
    esac
    if ! start "$server" "$accounts"; then
        note "left out: $reason"
        skipped+=("$server")
        case $server in Parlour | ceiling) failed=yes ;; esac
        return 0
    fi
    note "$server: $name"
    local sampler=''
    if [ -n "$hot" ]; then
        perf record -q -F 499 -e cpu-clock -p "$pid" -o "$work/samples" 2>/dev/null &
        sampler=$!
    fi
    # The time limit is far beyond what any scenario takes.
    timeout 900 "${on_load[@]}" "$LOAD" "$scenario" --address "127.0.0.1:$port" --pid "$pid" --server "$server" --name "$name" \
        --proof "$proof" --concurrency "$concurrency" "$@" >"$work/result" 2>"$work/error" || status=$?
    if [ -n "$sampler" ]; then
        kill -INT "$sampler" 2>/dev/null || true
        wait "$sampler" || true
        print_hottest "$name"
    fi
    if [ $status -eq 0 ]; then
        cat "$work/result" >>"$results"
    else
        note "$server, $name: $(cat "$work/error")"
        # What others cannot do is left out; a message that was lost or repeated is a failure whoever did it.
        case $server in Parlour | ceiling) failed=yes ;; *) [ ! -s "$work/result" ] || failed=yes ;; esac
    fi
    stop
    rm -rf "$folder"
}

run_all() { # SERVER
    local server=$1 logins=$((600 * seconds)) members
    measure "$server" "login by password" login 500 password --count $logins
    measure "$server" "login by device" login 500 device --count $logins
    measure "$server" "login, resumed" login 500 resumed --count $logins
    measure "$server" "herd of 1,000" herd 1000 device --sessions 1000
    for members in 10 50 500 ${short:-2000}; do
        [ "$members" != yes ] || continue
        measure "$server" "fan-out to $members" fan-out "$members" password --members "$members" --senders 5 --seconds "$seconds"
    done
    measure "$server" "rate, 500 a second to 50" rate 50 password --members 50 --senders 5 --rate 500 --seconds "$seconds"
    measure "$server" "echo, 200 clients" echo 200 password --clients 200 --seconds "$seconds"
    measure "$server" "echo, one client" echo 1 password --clients 1 --seconds "$seconds"
    for members in $((most / 20)) $((most / 4)) "$most"; do
        measure "$server" "idle, $members sessions" idle "$members" password --sessions "$members" --sources 4 --seconds "$seconds"
    done
    measure "$server" "memory, 500 sessions" memory 500 password --sessions 500 --seconds "$seconds" --rest "$([ -n "$short" ] && echo 2 || echo 60)"
}

results=${out:-$work/results.jsonl}
: >"$results"
for ((run = 1; run <= runs; run++)); do
    for server in ${servers//,/ }; do
        note "run $run of $runs: $server"
        run_all "$server"
    done
done
[ -n "$hot" ] || print_report "$results"
if [ -n "$failed" ]; then fail "a scenario failed; see above"; fi
