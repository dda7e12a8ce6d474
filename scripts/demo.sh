#!/usr/bin/env bash
# A tour, unattended, in a temporary folder: certificates, two accounts, an invite, a join, a conversation,
# the echo, a refused impostor, a refused password. Prints a transcript; exits 0 when all of it went as it should.
#
#   scripts/demo.sh              builds the debug binary first
#   PARLOUR=path scripts/demo.sh  uses that binary
set -euo pipefail

# shellcheck source=scripts/program.sh
. "$(dirname "$0")/program.sh"

home=$(mktemp -d)
servers=()
# Ends what was started, and nothing else.
cleanup() {
  local pid
  for pid in "${servers[@]}"; do kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  rm -rf "$home"
}
trap cleanup EXIT

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
# Runs parlour as a user: as USER COMMAND...
as() { local person=$1; shift; printf '%s $ parlour %s\n' "$person" "$*" >&2; XDG_CONFIG_HOME="$home/$person" timeout 60 "$PARLOUR" "$@"; }
# Waits until a file has a line that matches: a log line is an event, the bound is only for a server that never comes.
await() {
  local _
  for _ in $(seq 600); do
    grep -q -- "$2" "$1" 2>/dev/null && return
    sleep 0.1
  done
  cat "$1" >&2
  fail "never saw: $2"
}
# serve FOLDER ADDRESS: starts a server, and prints its address when it listens.
serve() {
  (cd "$1" && exec "$PARLOUR" serve --listen "$2" > invite.txt 2> log.txt) &
  servers+=($!)
  await "$1/log.txt" 'listening on'
}
address() { sed -n 's/.*listening on //p' "$1/log.txt" | head -n 1; }
expect() { grep -q -- "$2" <<<"$1" || fail "expected «$2» in: $1"; }

mkdir "$home/server"
# Logins that cost little, for the demonstration only.
printf '[passwords]\nmemory_kib = 64\niterations = 1\n' > "$home/server/parlour.toml"

say 'Certificates: a root, whose hash is the pin, and a server certificate under it'
(cd "$home/server" && "$PARLOUR" certs generate --name demo.test && "$PARLOUR" certs show)

say 'The server starts; nobody has an account, so it prints an invite for the first admin'
serve "$home/server" 127.0.0.1:0
address=$(address "$home/server")
await "$home/server/invite.txt" '^parlour://'
link=$(tail -n 1 "$home/server/invite.txt")
echo "$link"

say 'Alice joins with it: her client pins the server and makes the account'
as alice join "$link" --name alice --password-stdin <<<'correct horse'

say 'Alice invites Bob'
invite=$(cd "$home/server" && "$PARLOUR" invite create --uses 1 --expires 24h 2>/dev/null | tail -n 1)
echo "$invite"
as bob join "$invite" --name bob --password-stdin <<<'battery staple'

say 'The same invite a second time is refused'
if refusal=$(as mallory join "$invite" --name mallory --password-stdin <<<'let me in now' 2>&1); then fail 'a spent invite was taken'; fi
echo "$refusal"
expect "$refusal" 'used'

say 'They talk: Bob follows the channel while Alice speaks, then the other way round'
as bob tail '#lobby' --password-stdin <<<'battery staple' > "$home/bob.txt" 2> "$home/bob.err" &
tail=$!
servers+=("$tail")
await "$home/bob.txt" 'you joined'
printf '%s\n' 'correct horse' 'Hello Bob, is this encrypted?' | as alice send '#lobby' --password-stdin
await "$home/bob.txt" 'is this encrypted'
printf '%s\n' 'battery staple' 'Every byte, and the server is pinned.' | as bob send '#lobby' --password-stdin
await "$home/bob.txt" 'server is pinned'
cat "$home/bob.txt"

say 'The echo of the tutorial, over TLS and a login'
answer=$(printf '%s\n' 'correct horse' 'Hello server' | as alice echo --password-stdin)
echo "$answer"
expect "$answer" '^Server: Server received your message: Hello server$'

say 'A wrong password is refused'
if refusal=$(printf '%s\n' 'wrong horse' | as alice send '#lobby' 'hi' --password-stdin 2>&1); then fail 'a wrong password was taken'; fi
echo "$refusal"
expect "$refusal" 'refused the login'

say 'An impostor takes the address: another root, so Alice stops before a byte of the login is sent'
kill -TERM "${servers[0]}"
wait "${servers[0]}" || fail 'the server did not end in order'
mkdir "$home/impostor"
serve "$home/impostor" "$address"
if refusal=$(printf '%s\n' 'correct horse' | as alice send '#lobby' 'hi' --password-stdin 2>&1); then fail 'the impostor was trusted'; fi
echo "$refusal"
expect "$refusal" 'pin'
if grep -q 'login failed\|logged in' "$home/impostor/log.txt"; then fail 'the impostor saw a login'; fi

say 'What the server logged: who, when, how much, and never what was said'
grep -v 'made certificates' "$home/server/log.txt" | head -n 40
if grep -q 'encrypted?' "$home/server/log.txt"; then fail 'a message is in the log'; fi

printf '\ndemo: all of it went as it should\n'
