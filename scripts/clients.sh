#!/usr/bin/env bash
# irssi and WeeChat, the real ones, each logged in by SASL with the pinned fingerprint, talk with `parlour chat
# --plain`, both ways. Prints what was on their screens; exits 0 when each line arrived.
#
#   scripts/clients.sh               builds the debug binary first; installs irssi, WeeChat and tmux where missing
#   PARLOUR=path scripts/clients.sh  uses that binary
set -euo pipefail

if [ -z "${PARLOUR:-}" ]; then
  root=$(cd "$(dirname "$0")/.." && pwd)
  (cd "$root" && cargo build --quiet)
  PARLOUR=$(cd "$root" && cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)/debug/parlour
fi
missing=()
for program in tmux irssi; do command -v "$program" >/dev/null || missing+=("$program"); done
command -v weechat >/dev/null || missing+=(weechat-curses)
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq "${missing[@]}" >/dev/null
fi

home=$(mktemp -d)
socket=$home/tmux
server=
cleanup() {
  tmux -S "$socket" kill-server 2>/dev/null || true
  if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; fi
  sleep 0.5 # WeeChat writes its files as it ends
  rm -rf "$home"
}
trap cleanup EXIT

fail() { printf 'clients: %s\n' "$*" >&2; exit 1; }
screen() { tmux -S "$socket" capture-pane -p -S -200 -t "$1"; }
# type WINDOW TEXT: types a line, as a person does.
type_in() { tmux -S "$socket" send-keys -t "$1" -l "$2" && tmux -S "$socket" send-keys -t "$1" Enter; }
# Waits until a command's output has a line that matches; the bound is only for what never comes.
await() {
  local pattern=$1 _
  shift
  for _ in $(seq 300); do
    "$@" 2>/dev/null | grep -q -- "$pattern" && return
    sleep 0.1
  done
  "$@" >&2 || true
  fail "never saw «$pattern» ($*)"
}

cd "$home"
printf '[passwords]\nmemory_kib = 64\niterations = 1\n' > parlour.toml
"$PARLOUR" serve --listen 127.0.0.1:0 > invite.txt 2> log.txt &
server=$!
await '^parlour://' cat invite.txt
port=$(sed -n 's/.*listening on 127.0.0.1://p' log.txt | head -n 1)
shown=$("$PARLOUR" certs show)
irssi_pin=$(sed -n 's/^irssi -tls_pinned_cert *//p' <<<"$shown")
weechat_pin=$(sed -n 's/^WeeChat 3 ssl_fingerprint *//p' <<<"$shown")

export XDG_CONFIG_HOME=$home/alice
"$PARLOUR" join "$(tail -n 1 invite.txt)" --name alice --password-stdin <<<'correct horse' 2> join.txt
"$PARLOUR" user add irene --password-stdin <<<'irssi secret' 2>> join.txt
"$PARLOUR" user add wanda --password-stdin <<<'weechat secret' 2>> join.txt

mkfifo alice.in
"$PARLOUR" chat --plain --password-stdin < alice.in > alice.out 2> alice.err &
exec 3> alice.in
printf 'correct horse\n' >&3
await 'you joined' cat alice.out

mkdir irssi
cat > irssi/config <<CONFIG
servers = ( { address = "127.0.0.1"; chatnet = "parlour"; port = "$port"; autoconnect = "yes";
  use_tls = "yes"; tls_verify = "no"; tls_pinned_cert = "$irssi_pin"; } );
chatnets = { parlour = { type = "IRC"; nick = "irene"; sasl_mechanism = "PLAIN";
  sasl_username = "irene"; sasl_password = "irssi secret"; }; };
channels = ( { name = "#lobby"; chatnet = "parlour"; autojoin = "yes"; } );
settings = { core = { real_name = "Irene"; user_name = "irene"; nick = "irene"; }; };
CONFIG
tmux -S "$socket" -f /dev/null new-session -d -s clients -x 110 -y 35 -n irssi "irssi --home '$home/irssi'"
await 'irene joined' cat alice.out

tmux -S "$socket" new-window -t clients -n weechat "weechat -d '$home/weechat' \
  -r '/server add parlour 127.0.0.1/$port -ssl' \
  -r '/set irc.server.parlour.ssl_fingerprint $weechat_pin' \
  -r '/set irc.server.parlour.nicks wanda' \
  -r '/set irc.server.parlour.sasl_mechanism plain' \
  -r '/set irc.server.parlour.sasl_username wanda' \
  -r '/set irc.server.parlour.sasl_password \"weechat secret\"' \
  -r '/set irc.server.parlour.autojoin #lobby' \
  -r '/connect parlour'"
await 'wanda joined' cat alice.out

printf '%s\n' 'Welcome, both of you' >&3
type_in clients:irssi '/window goto #lobby'
type_in clients:irssi 'Irene speaks from irssi'
type_in clients:weechat 'Wanda speaks from WeeChat'
await '<irene> Irene speaks from irssi' cat alice.out
await '<wanda> Wanda speaks from WeeChat' cat alice.out
await '<.alice> Welcome, both of you' screen clients:irssi
await 'wanda> Wanda speaks from WeeChat' screen clients:irssi
await 'alice.*Welcome, both of you' screen clients:weechat
await 'irene.*Irene speaks from irssi' screen clients:weechat

# To a person, and to the echo.
type_in clients:irssi '/msg alice just for you'
await '<irene> just for you' cat alice.out
printf '%s\n' '/msg irene and back' >&3
type_in clients:irssi '/window goto alice'
await 'and back' screen clients:irssi
type_in clients:weechat '/msg echo hello'
type_in clients:weechat '/query echo'
await 'Server received your message: hello' screen clients:weechat

for client in irssi weechat; do
  printf '\n== %s\n' "$client"
  screen "clients:$client" | grep -v '^ *$'
done
printf '\n== parlour chat --plain\n'
cat alice.out
exec 3>&-
printf '\nclients: irssi and WeeChat talked with parlour, both ways\n'
