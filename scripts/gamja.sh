#!/usr/bin/env bash
# gamja, a web client that nobody here wrote, in Chromium: it logs in over IRC in a WebSocket, from an origin of its own that
# the server lists, and talks with `parlour chat --plain` both ways. Prints what each saw; exits 0 when all was as it should be.
#
#   scripts/gamja.sh               builds the debug binary first; needs the network for gamja and npm alone
#   PARLOUR=path scripts/gamja.sh  uses that binary
#   GAMJA=folder scripts/gamja.sh  uses that clone of gamja instead of the latest from https://codeberg.org/emersion/gamja
#
# Where gamja, its packages, node or Chromium cannot be had, it says that it skipped everything.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

skip() { printf 'skipped: gamja: %s\n' "$*" >&2; exit 0; }
for tool in git node npm python3; do command -v "$tool" >/dev/null || skip "$tool is missing"; done
chromium=${CHROMIUM:-/usr/bin/chromium}
[ -x "$chromium" ] || skip "no Chromium at $chromium: apt-get install chromium"

# shellcheck source=scripts/clients-common.sh
. "$root/scripts/clients-common.sh"

if [ -z "${GAMJA:-}" ]; then
  git clone --quiet --depth 1 https://codeberg.org/emersion/gamja.git "$home/gamja" || skip 'gamja cannot be cloned'
else
  git clone --quiet "$GAMJA" "$home/gamja"
fi
# It runs as it is, with the three packages that its page loads.
npm install --silent --no-audit --no-fund --ignore-scripts --omit=dev --prefix "$home/gamja" > "$home/npm.log" 2>&1 ||
  { cat "$home/npm.log" >&2; skip 'npm cannot install what gamja needs'; }
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$home/driver" playwright-core > "$home/npm.log" 2>&1 ||
  { cat "$home/npm.log" >&2; skip 'npm cannot install playwright-core'; }

python3 -u -m http.server --bind 127.0.0.1 --directory "$home/gamja" 0 > "$home/http.txt" 2> /dev/null &
pids+=($!)
await 'Serving HTTP' cat "$home/http.txt"
origin=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$home/http.txt")

more_config="[web]
enabled = true
origins = [\"$origin\"]"
start_server
start_alice
add_user gina
printf '{"server": {"url": "wss://127.0.0.1:%s/irc", "auth": "mandatory", "autojoin": "#lobby"}}\n' "$port" > "$home/gamja/config.json"

printf '\n== gamja %s\n' "$(git -C "$home/gamja" log -1 --format='%h of %as')"
CHROMIUM=$chromium NODE_PATH=$home/driver/node_modules timeout 120 node "$root/scripts/clients/gamja.cjs" "$origin/" gina 'gina secret' &
checked=$!
pids+=("$checked")
alice_saw 'hears gamja' 'hello from gamja'
alice 'hello gamja'
wait "$checked" || no gamja 'its checks' 'see above'
finish
