# Sourced by scripts/windows.sh: the unit tests and the story under Wine, in a prefix of their own that is removed at the end.

wine=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver64
# shellcheck disable=SC2154 # windows.sh defines it
install_for "$wine" wine64

# Wine gives new files the rights of their folder and of the mask, so that only here the rights of others are none.
umask 077
home=$(mktemp -d)
export WINEPREFIX=$home/prefix WINEARCH=win64 WINEDEBUG=-all DISPLAY=
# Nothing in the menus of this desktop, and no questions about what Wine could install.
export WINEDLLOVERRIDES='winemenubuilder.exe=d;mscoree=d;mshtml=d'
# Arguments and names of files are UTF-8.
export LC_ALL=C.UTF-8
# Cases that fail here are not for the other systems' lists of cases.
export PROPTEST_DISABLE_FAILURE_PERSISTENCE=true
started=()
# Ends what was started, and nothing else: the Wine server is that of the prefix. After a failure, first what the logs say.
end_all() {
    local status=$? command=$BASH_COMMAND pid log
    if [ "$status" -ne 0 ]; then
        printf 'windows: %s with the exit code %s\n' "$command" "$status" >&2
        for log in "$home"/*.log "$home"/*.err "$WINEPREFIX"/drive_c/ProgramData/Parlour/log/*; do
            [ ! -s "$log" ] || { printf -- '-- the end of %s\n' "${log##*/}" && tail -n 40 "$log"; } >&2
        done
    fi
    for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    "$wineserver" -k 2>/dev/null || true
    "$wineserver" -w 2>/dev/null || true
    rm -rf "$home"
}
trap end_all EXIT

# Makes the prefix: as Windows 10, of a user whose name has a blank and umlauts, in the folders by which programs know it.
prepare_prefix() {
    local folder='C:\users\Jürgen Müller' key='HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders'
    roaming="$WINEPREFIX/drive_c/users/Jürgen Müller/AppData/Roaming"
    mkdir -p "$roaming" "${roaming%Roaming}Local"
    "$wine" reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null
    "$wine" reg add "$key" /v AppData /d "$folder\\AppData\\Roaming" /f >/dev/null
    "$wine" reg add "$key" /v 'Local AppData' /d "$folder\\AppData\\Local" /f >/dev/null
    # Wine 8 has no ProcessPrng, from which Rust takes its randomness.
    x86_64-w64-mingw32-gcc -shared -O1 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
        scripts/windows/bcryptprimitives.c -ladvapi32
}
# Services end with the Wine server, which must not end between two commands.
mkdir "$WINEPREFIX"
"$wineserver" --persistent
prepare_prefix

say() { printf '\n== %s\n' "$*"; }

unit_tests() { # FILTER...
    local program
    say "unit tests under Wine"
    program=$(run_cargo test --lib --no-run --message-format json | grep -o '"executable":"[^"]*"' | tail -n 1 | cut -d'"' -f4)
    [ -n "$program" ] || fail "the tests were not built"
    "$wine" "$program" --test-threads "$(nproc)" "$@"
}

# windows COMMAND...: runs the program under Wine. All users share one profile, which has one account for each server.
# Once in some thousand starts Wine ends before the program begins, with 1 and without a word. A command of Parlour
# that fails always says why, so a silent failure is Wine's, and is tried again.
windows() {
    local status attempt
    printf 'windows $ parlour %s\n' "$*" >&2
    for attempt in 1 2 3; do
        status=0
        # Longer than the two minutes for which programs try to connect, so that they can say that they can't.
        timeout 180 "$wine" "$exe" "$@" 2>"$home/windows.err" || status=$?
        cat "$home/windows.err" >&2
        if [ "$status" -ne 1 ] || [ -s "$home/windows.err" ]; then return "$status"; fi
        printf 'windows: no word of why, attempt %s\n' "$attempt" >&2
    done
    return "$status"
}
linux() { printf 'linux   $ parlour %s\n' "$*" >&2; HOME="$home/linux" XDG_CONFIG_HOME="$home/linux" timeout 180 "$PARLOUR" "$@"; }

# Waits until a file has a line that matches: a log line is an event, the bound is only for a program that never comes.
await() { # FILE PATTERN
    local _
    for _ in $(seq 600); do
        grep -q -- "$2" "$1" 2>/dev/null && return
        sleep 0.1
    done
    cat "$1" >&2
    fail "never saw: $2"
}
expect() { grep -qF -- "$2" <<<"$1" || fail "expected «$2» in: $1"; }
address() { sed -n 's/.*listening on //p' "$1" | tail -n 1 | tr -d '\r'; }
# Starts a server in the present folder and waits until it listens: serve LOG ADDRESS PROGRAM...
serve() {
    local log=$1 listen=$2
    shift 2
    "$@" serve --listen "$listen" >>"$log.out" 2>"$log" &
    started+=($!)
    server=$!
    await "$log" 'listening on'
}

# The server as a service: installed, found by other commands, removed.
service() {
    local folder="$WINEPREFIX/drive_c/ProgramData/Parlour" link log
    mkdir -p "$folder"
    { echo 'listen = ["127.0.0.1:0"]'; cat "$home/Köln server/parlour.toml"; } >"$folder/parlour.toml"
    expect "$(windows service status)" 'not installed'
    windows service install
    expect "$(windows service status)" 'running'
    log=$folder/log/parlour.$(date --utc +%F).log
    await "$log" 'listening on'
    link=$(windows invite create --role admin 2>/dev/null | tail -n 1 | tr -d '\r')
    windows join "$link" --name erin --password-stdin <<<'lantern cable'
    windows send '#lobby' 'from a service'
    expect "$(windows history '#lobby')" 'from a service'
    windows service remove
    expect "$(windows service status)" 'not installed'
    await "$log" 'stopped'
}

# The page of `parlour web`: its files, and what a WebSocket gets for the right token and for a wrong one.
page() {
    local url port token
    "$wine" "$exe" web --no-open --keep >"$home/web.txt" 2>"$home/web.err" &
    started+=($!)
    await "$home/web.txt" '^http://'
    url=$(tail -n 1 "$home/web.txt" | tr -d '\r')
    port=${url#http://127.0.0.1:} token=${url##*#}
    port=${port%%/*}
    cmp <(curl --silent --fail "http://127.0.0.1:$port/") web/index.html
    cmp <(curl --silent --fail "http://127.0.0.1:$port/connection/link.js") web/connection/link.js
    socket "$port" "$token" '"account":"carol"'
    socket "$port" "${token//[0-9a-f]/0}" 'wrong token'
    kill -KILL "${started[-1]}"
}
# Opens a WebSocket with a token and waits for a text: socket PORT TOKEN TEXT
socket() {
    local LC_ALL=C byte got='' hello="{\"token\":\"$2\",\"server\":null}"
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf '%s\r\n' 'GET /irc HTTP/1.1' "Host: 127.0.0.1:$1" "Origin: http://127.0.0.1:$1" 'Upgrade: websocket' \
        'Connection: Upgrade' 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' 'Sec-WebSocket-Version: 13' \
        'Sec-WebSocket-Protocol: text.ircv3.net' '' >&3
    # A text frame, whose mask of zeros leaves it as it is.
    printf "\\x81\\x$(printf %x $((128 + ${#hello})))\\0\\0\\0\\0%s" "$hello" >&3
    until [[ $got == *"$3"* ]]; do
        IFS= read -r -t 30 -N 1 -u 3 byte || fail "expected «$3» in: $got"
        got+=$byte
    done
    exec 3>&-
}

story() {
    local link address tail
    exe=$(realpath -- "${PARLOUR_EXE:-$(build_program)}")
    root=$PWD
    PARLOUR=$(realpath -- "${PARLOUR:-$(dirname "$CARGO_TARGET_DIR")/debug/parlour}")
    [ -x "$PARLOUR" ] || fail "build the program for Linux first: cargo build"
    mkdir -p "$home/linux" "$home/Köln server" "$home/linux server"
    # Logins that cost little, for the story only.
    printf '[passwords]\nmemory_kib = 64\niterations = 1\n' | tee "$home/linux server/parlour.toml" >"$home/Köln server/parlour.toml"
    cd "$home/Köln server"

    say 'Windows: certificates, and a server in a folder with a blank and an umlaut'
    windows certs generate --name windows.test
    windows certs show
    serve "$home/windows.log" 127.0.0.1:0 "$wine" "$exe"
    address=$(address "$home/windows.log")
    await "$home/windows.log.out" '^parlour://'
    link=$(tail -n 1 "$home/windows.log.out" | tr -d '\r')

    say 'Linux: Alice joins the server on Windows and speaks'
    linux join "$link" --name alice --password-stdin <<<'correct horse'
    linux send '#lobby' 'from Linux: grüße 🦀'

    say 'Windows: the administration over the control channel; Bob joins, follows and speaks'
    link=$(windows invite create --uses 1 --expires 24h 2>/dev/null | tail -n 1 | tr -d '\r')
    windows join "$link" --name bob --password-stdin <<<'battery staple'
    "$wine" "$exe" tail '#lobby' --since 1h >"$home/tail.txt" 2>"$home/tail.err" &
    tail=$!
    started+=("$tail")
    await "$home/tail.txt" 'from Linux: grüße 🦀'
    linux send '#lobby' 'while Bob follows'
    await "$home/tail.txt" 'while Bob follows'
    windows send '#lobby' 'from Windows: schön'
    expect "$(linux history '#lobby')" 'from Windows: schön'
    expect "$(windows history '#lobby')" 'from Linux: grüße 🦀'
    expect "$(windows user list)" 'bob'
    if windows serve --listen 127.0.0.1:0 2>"$home/second.txt"; then fail 'a second server took the folder'; fi
    expect "$(cat "$home/second.txt")" 'in use'

    say 'Windows: the server is killed and started again; nothing is lost'
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    serve "$home/again.log" "$address" "$wine" "$exe"
    expect "$(linux history '#lobby')" 'from Windows: schön'
    expect "$(windows history '#lobby')" 'while Bob follows'
    linux send '#lobby' 'after the restart'
    await "$home/tail.txt" 'after the restart'
    windows doctor || [ $? -le 2 ] || fail 'doctor failed'

    say 'Windows: Ctrl-C ends the server in order'
    kill -INT "$server"
    wait "$server" || fail "the server ended with $?"
    await "$home/again.log" 'stopped'
    kill -KILL "$tail"
    [ -n "$(find "$roaming" -name servers.toml)" ] || fail 'the known servers are not in the folder of the user'

    say 'Linux: a server, and Carol on Windows'
    cd "$home/linux server"
    serve "$home/linux.log" 127.0.0.1:0 "$PARLOUR"
    await "$home/linux.log.out" '^parlour://'
    link=$(tail -n 1 "$home/linux.log.out")
    windows join "$link" --name carol --password-stdin <<<'tractor pencil'
    windows send '#lobby' 'from Windows to Linux: Straße'
    expect "$(windows history '#lobby')" 'from Windows to Linux: Straße'
    link=$("$PARLOUR" invite create --uses 1 --expires 24h 2>/dev/null | tail -n 1)
    linux join "$link" --name dave --password-stdin <<<'radio window'
    expect "$(linux history '#lobby')" 'from Windows to Linux: Straße'
    say 'Windows: the page in the browser'
    (cd "$root" && page)
    kill -TERM "$server"
    wait "$server" || fail "the server ended with $?"

    say 'Windows: the server as a service'
    mkdir "$home/elsewhere"
    cd "$home/elsewhere"
    service
    printf '\nwindows: all of it went as it should\n'
}
