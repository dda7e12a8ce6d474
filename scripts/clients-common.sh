# shellcheck shell=bash
# What the scripts that drive clients share; they source it. It finds or builds parlour, makes a temporary folder, $home,
# that goes away at the end, and knows how to start a server, run parlour as a user, and wait for a line.

failures=0
pids=()

# shellcheck source=scripts/program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"

home=$(mktemp -d)
# Ends what was started, and nothing else.
cleanup() {
  local pid
  for pid in "${pids[@]}"; do if kill -TERM "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi; done
  sleep 0.5 # WeeChat writes its files as it ends
  rm -rf "$home"
}
trap cleanup EXIT

# Of the user who runs the script, nothing is read or written; the frames of a terminal are UTF-8.
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS TMUX
export LC_ALL=C.UTF-8

# as USER COMMAND...: runs parlour with the home of a user.
as() { local user=$1; shift; HOME=$home/$user "$PARLOUR" "$@"; }
# as_command USER: the same for a command line of tmux, without the command. Times are UTC, colours those of a true-colour terminal.
as_command() { printf "env HOME='%s' TZ=UTC COLORTERM=truecolor '%s'" "$home/$1" "$PARLOUR"; }

# A tmux of the script's own, for the function tmux_. It ends with the script.
start_tmux() {
  install tmux tmux
  trap 'tmux_ kill-server 2>/dev/null || true; cleanup' EXIT
}
tmux_() { tmux -S "$home/tmux" -f /dev/null "$@"; }
# colours SESSION: the escapes of the screen's first row, which change with the theme, as one line. colours_changed SESSION
# COLOURS: prints them if they are others.
colours() { tmux_ capture-pane -e -p -t "$1" | head -n 1 | grep -o $'\033\\[[0-9;]*m' | sort -u | tr -d '\n' | tr '\033' '^'; echo; }
colours_changed() { colours "$1" | grep -vxF -- "$2"; }

fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }

# install COMMAND PACKAGE...: installs the Debian packages where the command is missing.
install() {
  local command=$1 sudo
  shift
  command -v "$command" >/dev/null && return
  sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq "$@" >/dev/null
}

# unseen SECONDS PATTERN COMMAND...: waits until no line of the command's output matches.
unseen() {
  local tenths=$(($1 * 10)) pattern=$2
  shift 2
  for _ in $(seq "$tenths"); do
    "$@" 2>/dev/null | grep -q -- "$pattern" || return 0
    sleep 0.1
  done
  return 1
}

# seen SECONDS PATTERN COMMAND...: waits until the command's output has a line that matches, and prints the last one.
# The bound is only for what never comes.
seen() {
  local tenths=$(($1 * 10)) pattern=$2 line
  shift 2
  for _ in $(seq "$tenths"); do
    line=$("$@" 2>/dev/null | grep -- "$pattern" | tail -n 1) && [ -n "$line" ] && { printf '%s\n' "$line"; return; }
    sleep 0.1
  done
  return 1
}

await() {
  local pattern=$1
  shift
  seen 30 "$pattern" "$@" >/dev/null && return
  "$@" >&2 || true
  fail "never saw «$pattern» ($*)"
}

ok() { printf '  ok  %-9s %-44s %s\n' "$1" "$2" "$(sed 's/ *│[ ~@%+]*[a-z]* *$//; s/.*│//; s/^ *//' <<<"${3:-}")"; }
no() { printf '  NO  %-9s %-44s %s\n' "$1" "$2" "$3"; failures=$((failures + 1)); }

# Starts a server in $home on a free port of loopback, with the tables of $more_config in its configuration. Leaves its port
# in $port, its admin's invite in invite.txt.
start_server() {
  cd "$home" || exit
  printf '[passwords]\nmemory_kib = 64\niterations = 1\n[sessions]\ngrace_s = 10\n%s\n' "${more_config:-}" > parlour.toml
  "$PARLOUR" serve --listen 127.0.0.1:0 > invite.txt 2> log.txt &
  pids+=($!)
  await '^parlour://' cat invite.txt
  # shellcheck disable=SC2034 # the scripts use it
  port=$(sed -n 's/.*listening on 127.0.0.1://p' log.txt | head -n 1)
}

# The link of a new invite; arguments as for `parlour invite create`.
invite() { "$PARLOUR" invite create "$@" 2>/dev/null | tail -n 1; }
add_user() { "$PARLOUR" user add "$1" --password-stdin <<<"$1 secret" 2>> join.txt; }

# start_plain_chat USER OPTION...: starts `parlour chat --plain`, which reads lines from the fifo USER.in until its last
# writer closes it, and writes to USER.out. Not through `as`, so that the process to end is the client's own.
start_plain_chat() {
  local user=$1
  shift
  mkfifo "$user.in"
  HOME=$home/$user "$PARLOUR" chat --plain "$@" < "$user.in" > "$user.out" 2> "$user.err" &
  pids+=($!)
}

# Starts `parlour chat --plain` as alice, the admin: `alice TEXT` types, alice.out is what she sees.
start_alice() {
  as alice join "$(tail -n 1 invite.txt)" --name alice --password-stdin <<<'alice secret' 2> join.txt
  start_plain_chat alice --password-stdin
  exec 3> alice.in
  alice 'alice secret'
  await 'you joined' cat alice.out
}
alice() { printf '%s\n' "$1" >&3; }
# alice_saw CHECK PATTERN
alice_saw() {
  local line
  if line=$(seen 20 "$2" cat alice.out); then ok alice "$1" "$line"; else no alice "$1" "expected «$2»"; fi
}

# The end: how many were not as expected.
finish() {
  exec 3>&-
  [ "$failures" -eq 0 ] || fail "$failures not as expected"
  printf '\n%s: everything as expected\n' "$(basename "$0" .sh)"
}
